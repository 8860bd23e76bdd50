import type { RequestListener, Server } from "node:http";
import https from "node:https";
import type { Logger } from "@flaredb/rdb-base";
import { keepReplaced, logRefused, tlsServerOptions } from "./tls-http2.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Makes a server of HTTP/1.1 that does not listen yet, as fastify's option of this name does. */
export type HttpServerFactory = (handle: RequestListener) => Server;

/**
 * Servers of HTTP/1.1 on TLS, for what people and probes read: as strict as the RPC port.
 *
 * @returns undefined where nothing is encrypted
 */
export function httpsServerFactory(
  identity: TlsIdentity | undefined,
  logger: Logger,
): HttpServerFactory | undefined {
  if (identity === undefined) {
    return undefined;
  }
  return (handle) => {
    const server = https.createServer(tlsServerOptions(identity), handle);
    keepReplaced(identity, server);
    logRefused(server, logger);
    return server;
  };
}

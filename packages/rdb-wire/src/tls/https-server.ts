import type { RequestListener, Server } from "node:http";
import https from "node:https";
import type { Logger } from "@flaredb/rdb-base";
import { keepReplaced, logRefused, tlsServerOptions } from "./tls-http2.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** A server of HTTP/1.1 on TLS, for what people and probes read: as strict as the RPC port. Does not listen yet. */
export function httpsServer(identity: TlsIdentity, logger: Logger, handle: RequestListener): Server {
  const server = https.createServer(tlsServerOptions(identity), handle);
  keepReplaced(identity, server);
  logRefused(server, logger);
  return server;
}

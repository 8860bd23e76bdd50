import http2 from "node:http2";
import net, { type Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { type Logger, SECOND_MS } from "@flaredb/rdb-base";
import { formatAddress } from "../address.ts";
import type { ConnectTarget, Http2Driver, Http2Listener, ServedServices } from "../http2-driver.ts";
import { http2SessionOptions, serverSessionOptions } from "../http2-settings.ts";
import { nodeListener } from "../node-http2.ts";
import { tlsFailureText } from "./tls-failure-text.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Who has not shown by then who it is, is cut off. */
const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;

/** HTTP/2 on TLS by node:http2: as `nodeHttp2`, but only between those who can show who they are. */
export function tlsHttp2(identity: TlsIdentity): Http2Driver {
  return {
    connect: (target) =>
      http2.connect(`https://${formatAddress(target.host, target.port)}`, {
        ...http2SessionOptions,
        createConnection: () => tlsConnect(identity, target),
      }),
    createServer: (services) => secureListener(identity, services),
  };
}

/** Begins to connect; the server has to show a certificate for the name or address that is dialled. */
export function tlsConnect(identity: TlsIdentity, { host, port, localAddress }: ConnectTarget): TLSSocket {
  const socket = tls.connect({
    ...{ host, port, secureContext: identity.secureContext, ALPNProtocols: ["h2"] },
    // An IP address is compared with the certificate, but not sent (RFC 6066 §3).
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.on("error", (error: NodeJS.ErrnoException & { readonly reason?: string }) => {
    error.message = tlsFailureText(error, identity.showsCertificate);
    // When the server objects to what we showed, after the handshake, Node leaves the socket open.
    socket.destroy();
  });
  return socket.setNoDelay(true);
}

/** How a server of TLS is made, whatever is spoken on it. */
export function tlsServerOptions(identity: TlsIdentity): tls.TlsOptions {
  const demands = identity.demandsCertificates;
  return {
    ...identity.contextOptions,
    ...{ requestCert: demands, rejectUnauthorized: demands, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
  };
}

function secureListener(identity: TlsIdentity, services: ServedServices): Http2Listener {
  const server = http2.createSecureServer({
    ...serverSessionOptions(services.limits),
    ...tlsServerOptions(identity),
  });
  const listener = nodeListener(services, server);
  keepReplaced(identity, server);
  logRefused(server, services.logger);
  const cutHandshakes = trackHandshakes(server);
  return {
    get listening() {
      return listener.listening;
    },
    onSession: (opened) => listener.onSession(opened),
    onStream: (opened) => listener.onStream(opened),
    onDropped: (dropped) => listener.onDropped(dropped),
    onSessionError: (failed) => listener.onSessionError(failed),
    onError: (failed) => listener.onError(failed),
    listen: (port, host, done) => listener.listen(port, host, done),
    close(closed) {
      listener.close(closed);
      cutHandshakes();
    },
  };
}

/** Has the server use the identity's files for new connections, whenever they are replaced. */
export function keepReplaced(identity: TlsIdentity, server: tls.Server): void {
  const forget = identity.onReplaced((options) => server.setSecureContext(options));
  server.once("close", forget);
}

/** A line for each reason for which callers are turned away; who tries again and again shall not fill the log. */
export function logRefused(server: tls.Server, logger: Logger): void {
  const told = new Set<string>();
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // Set when the certificate was not to our liking; then the error says only that the connection is over.
    const reason = String(socket.authorizationError ?? error.code ?? error.message);
    const level = told.has(reason) ? "debug" : "warn";
    told.add(reason);
    logger[level]({ reason }, "a caller was turned away: what it shows of itself is not accepted here");
  });
}

/** A server that closes waits for its connections: who has not even introduced itself is cut off. */
function trackHandshakes(server: tls.Server): () => void {
  const sockets = new Map<string, Socket>();
  const nameOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    sockets.set(name, socket);
    socket.once("close", () => {
      if (sockets.get(name) === socket) {
        sockets.delete(name);
      }
    });
  });
  server.on("secureConnection", (socket) => sockets.delete(nameOf(socket)));
  return () => {
    for (const socket of sockets.values()) {
      socket.destroy();
    }
  };
}

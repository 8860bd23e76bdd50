import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import net from "node:net";
import { limits } from "@flaredb/rdb-base";
import { parseAddress } from "./address.ts";
import { GuardedSessionManager } from "./guarded-session-manager.ts";
import { http2SessionOptions } from "./http2-settings.ts";
import type { KeepaliveOptions } from "./keepalive.ts";
import { askAgainIfRefused } from "./refused-calls.ts";
import { connectionDefaults } from "./rpc-connection.ts";
import { TlsFailures } from "./tls/tls-failures.ts";
import { tlsConnect } from "./tls/tls-http2.ts";
import type { TlsIdentity } from "./tls/tls-identity.ts";

export interface UnaryTransportOptions {
  /** When the other side is taken for dead. Default: asked after 500 ms of silence, 1 s to answer. */
  readonly keepalive?: KeepaliveOptions;
  /** The address to call from, when the host has several. */
  readonly localAddress?: string;
}

/** A transport for connect's clients, and how to end it. */
export interface UnaryTransport {
  readonly transport: Transport;
  /** Ends the connection; calls in flight fail. */
  close(): void;
}

/**
 * gRPC to `host:port` by connect: for unary methods and for streams that are not hot. Connects when first used and
 * again when needed. Calls throw ConnectError: see `fromConnectError`.
 *
 * @param tls who calls and whom it trusts; undefined: nothing is encrypted
 * @throws RdbError RDB_INVALID_ARGUMENT when the address is not host:port
 */
export function unaryTransport(
  address: string,
  options: UnaryTransportOptions = {},
  tls?: TlsIdentity,
): UnaryTransport {
  const { host, port } = parseAddress(address);
  const { localAddress, keepalive = connectionDefaults.keepalive } = options;
  const sockets = new Set<net.Socket>();
  const failures = new TlsFailures(address);
  const baseUrl = `${tls === undefined ? "http" : "https"}://${address}`;
  const sessionManager = new GuardedSessionManager(
    baseUrl,
    { pingIntervalMs: keepalive.intervalMs, pingTimeoutMs: keepalive.timeoutMs },
    {
      ...http2SessionOptions,
      createConnection: () => {
        const target = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
        const socket =
          tls === undefined ? net.connect({ ...target, noDelay: true }) : tlsConnect(tls, target);
        if (tls !== undefined) {
          failures.begin();
          socket.once("error", (error) => failures.add(error));
        }
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        return socket;
      },
    },
  );
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: limits.messageMaxBytes,
    writeMaxBytes: limits.messageMaxBytes,
    acceptCompression: [],
    interceptors: tls === undefined ? [askAgainIfRefused] : [failures.interceptor, askAgainIfRefused],
  });
  return {
    transport,
    // Not by the session manager's abort: it stops listening to its session at once, and a session that has just been
    // given up for silence would then throw its error at the process.
    close() {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}

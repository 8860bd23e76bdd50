import { RpcConnection } from "./rpc-connection.ts";
import { RpcServer } from "./rpc-server.ts";
import { tlsHttp2 } from "./tls/tls-http2.ts";
import type { TlsIdentity } from "./tls/tls-identity.ts";
import { unaryTransport } from "./unary-transport.ts";
import type { Wire } from "./wire.ts";

/**
 * The network of a real process: HTTP/2 on TCP.
 *
 * @param tls who the process is and whom it trusts, on every connection; undefined: nothing is encrypted
 */
export function httpWire(tls?: TlsIdentity): Wire {
  if (tls !== undefined) {
    const driver = tlsHttp2(tls);
    return {
      serve: (options) => new RpcServer(options, driver),
      connect: (options) => new RpcConnection(options, driver),
      unary: (address, options) => unaryTransport(address, options, tls),
    };
  }
  return {
    serve: (options) => new RpcServer(options),
    connect: (options) => new RpcConnection(options),
    unary: (address, options) => unaryTransport(address, options),
  };
}

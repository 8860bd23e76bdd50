import { RpcConnection } from "./rpc-connection.ts";
import { RpcServer } from "./rpc-server.ts";
import { unaryTransport } from "./unary-transport.ts";
import type { Wire } from "./wire.ts";

/** The network of a real process: HTTP/2 on TCP. */
export function httpWire(): Wire {
  return {
    serve: (options) => new RpcServer(options),
    connect: (options) => new RpcConnection(options),
    unary: unaryTransport,
  };
}

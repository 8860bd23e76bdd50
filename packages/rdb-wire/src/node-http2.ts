import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import net, { type AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { formatAddress } from "./address.ts";
import type { Http2Driver, Http2Listener, ServedServices } from "./http2-driver.ts";
import { http2SessionOptions, serverSessionOptions } from "./http2-settings.ts";
import { refuseUnknownMethod } from "./refusals.ts";
import { rdbErrorInterceptor } from "./server-interceptor.ts";

/** What servers of node:http2 with and without TLS have in common. */
export type NodeServer = http2.Http2Server | http2.Http2SecureServer;

/** HTTP/2 on TCP without TLS, by node:http2. */
export const nodeHttp2: Http2Driver = {
  connect: ({ host, port, localAddress }) =>
    http2.connect(`http://${formatAddress(host, port)}`, {
      ...http2SessionOptions,
      createConnection: () =>
        net.connect({
          host,
          port,
          noDelay: true,
          ...(localAddress === undefined ? {} : { localAddress }),
        }),
    }),
  createServer: (services) =>
    nodeListener(services, http2.createServer(serverSessionOptions(services.limits))),
};

/** A server of node:http2, with or without TLS, that does not listen yet. */
export function nodeListener({ routes, logger, limits }: ServedServices, server: NodeServer): Http2Listener {
  server.maxConnections = limits.connectionMaxCount;
  // Never listens: it only wraps the streams that are for connect into requests and responses.
  const connectServer = http2.createServer(
    connectNodeAdapter({
      routes,
      interceptors: [rdbErrorInterceptor(logger)],
      readMaxBytes: limits.messageMaxBytes,
      writeMaxBytes: limits.messageMaxBytes,
      grpc: true,
      connect: true,
      grpcWeb: true,
      fallback: (request, response) => refuseUnknownMethod(request.url ?? "", request.headers, response),
    }),
  );
  return {
    get listening() {
      return server.listening;
    },
    onSession: (opened) => server.on("session", opened),
    onStream: (opened) =>
      server.on(
        "stream",
        (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]) =>
          opened(stream, headers, () => connectServer.emit("stream", stream, headers, flags, rawHeaders)),
      ),
    onDropped: (dropped) => server.on("drop", dropped),
    onSessionError: (failed) => server.on("sessionError", failed),
    onError: (failed) => server.on("error", failed),
    listen(port, host, done) {
      const failed = (error: NodeJS.ErrnoException): void => done(error, 0);
      server.once("error", failed);
      server.listen(port, host, () => {
        server.off("error", failed);
        done(undefined, (server.address() as AddressInfo).port);
      });
    },
    close: (closed) => server.close(closed),
  };
}

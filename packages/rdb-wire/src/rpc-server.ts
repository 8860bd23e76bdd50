import http2, {
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type Clock, type Logger, RdbError, assert, limits } from "@flaredb/rdb-base";
import { formatAddress } from "./address.ts";
import { GRPC_CONTENT_TYPE, isGrpcContentType, statusTrailers } from "./grpc-status.ts";
import { http2SessionOptions, widenSessionWindow } from "./http2-settings.ts";
import { Keepalive, type KeepaliveOptions } from "./keepalive.ts";
import { rdbErrorInterceptor } from "./server-interceptor.ts";
import { ServerStream, type ServerStreamHandlers } from "./server-stream.ts";
import type { StreamCodec } from "./stream-codec.ts";

export interface RpcServerOptions {
  /** The address to listen on; an IP address or a name. */
  readonly host: string;
  /** 0: any free one; `listen` tells which. */
  readonly port: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Services served by connect: gRPC, gRPC-Web and Connect, all on this port. */
  readonly routes?: (router: ConnectRouter) => void;
  /** When a client is taken for dead. Default: asked after 10 s of silence, 10 s to answer. */
  readonly keepalive?: KeepaliveOptions;
}

const defaultKeepalive: KeepaliveOptions = { intervalMs: 10_000, timeoutMs: 10_000 };

type HotHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** One port for everything a process serves: HTTP/2 without TLS, unary services by connect, hot streams directly. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #server: Http2Server;
  /** Never listens: it only wraps the streams that are for connect into requests and responses. */
  readonly #connectServer: Http2Server;
  readonly #hotHandlers = new Map<string, HotHandler>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#connectServer = http2.createServer(
      connectNodeAdapter({
        routes: options.routes ?? (() => {}),
        interceptors: [rdbErrorInterceptor(options.logger)],
        readMaxBytes: limits.messageMaxBytes,
        writeMaxBytes: limits.messageMaxBytes,
        grpc: true,
        connect: true,
        grpcWeb: true,
        fallback: (request, response) => refuseUnknownMethod(request.url ?? "", request.headers, response),
      }),
    );
    this.#server = http2.createServer(http2SessionOptions);
    this.#server.on("session", (session) => this.#sessionOpened(session));
    this.#server.on("stream", (stream, headers, flags, rawHeaders) =>
      this.#streamOpened(stream, headers, flags, rawHeaders),
    );
    this.#server.on("sessionError", (error) => {
      options.logger.debug({ error: error.message }, "connection failed");
    });
  }

  /** Where the server listens, as host:port. Only after `listen`. */
  get address(): string {
    assert(this.#port !== 0, "address is asked for after listen");
    return formatAddress(this.#options.host, this.#port);
  }

  /** The real port. Only after `listen`. */
  get port(): number {
    assert(this.#port !== 0, "port is asked for after listen");
    return this.#port;
  }

  /**
   * Serves the bidi method at `path` (such as `/rdb.v1.KvService/Batch`) directly on HTTP/2 streams. `accept` is
   * called for each stream and says what is done with it. To be called before `listen`.
   */
  handleStream<Out, In>(
    path: string,
    codec: StreamCodec<Out, In>,
    accept: (stream: ServerStream<Out, In>) => ServerStreamHandlers<In>,
  ): void {
    assert(!this.#hotHandlers.has(path), `stream handler for ${path} is registered once`);
    this.#hotHandlers.set(path, (stream, headers) => {
      new ServerStream(stream, headers, codec, this.#options.clock).start(accept);
    });
  }

  /**
   * @throws RdbError RDB_ADDRESS_IN_USE when another process listens there
   * @throws RdbError RDB_UNAVAILABLE when the address cannot be listened on for another reason
   */
  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
      this.#server.once("error", failed);
      this.#server.listen(port, host, () => {
        this.#server.off("error", failed);
        this.#server.on("error", (error) => {
          this.#options.logger.error({ error: error.message }, "server failed to accept a connection");
        });
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /**
   * Accepts nothing new, tells every client to go (GOAWAY: they end their streams when they have their answers),
   * and cuts what is left after `graceMs`. Resolves when nothing is open; further calls join the first.
   */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const session of this.#sessions) {
      session.close();
    }
    const timer = this.#options.clock.setTimer(graceMs, () => {
      for (const session of this.#sessions) {
        session.destroy();
      }
    });
    await closed;
    timer.cancel();
  }

  #sessionOpened(session: ServerHttp2Session): void {
    if (this.#closing !== undefined) {
      session.close();
      return;
    }
    widenSessionWindow(session);
    this.#sessions.add(session);
    const keepalive = new Keepalive(
      session,
      this.#options.clock,
      this.#options.keepalive ?? defaultKeepalive,
      () => session.destroy(),
    );
    session.on("close", () => {
      keepalive.stop();
      this.#sessions.delete(session);
    });
  }

  #streamOpened(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: string[],
  ): void {
    const hot = this.#hotHandlers.get(headers[":path"] ?? "");
    if (hot === undefined) {
      this.#connectServer.emit("stream", stream, headers, flags, rawHeaders);
      return;
    }
    const refusal = refuse(headers);
    if (refusal === undefined) {
      hot(stream, headers);
    } else {
      // The client may reset the stream meanwhile: then there is nobody to answer.
      stream.on("error", () => {});
      stream.respond(refusal, { endStream: true });
    }
  }
}

/** Why a call of a hot method is not taken, as the headers of the answer. */
function refuse(headers: IncomingHttpHeaders): OutgoingHttpHeaders | undefined {
  if (headers[":method"] !== "POST") {
    return { ":status": 405, allow: "POST" };
  }
  if (!isGrpcContentType(headers["content-type"])) {
    return { ":status": 415, "accept-post": GRPC_CONTENT_TYPE };
  }
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (encoding !== "identity") {
    const error = new ConnectError(`grpc-encoding ${String(encoding)} must be identity`, Code.Unimplemented);
    return { ":status": 200, ...grpcHeaders(error), "grpc-accept-encoding": "identity" };
  }
  return undefined;
}

function refuseUnknownMethod(
  path: string,
  headers: IncomingHttpHeaders,
  response: { writeHead(status: number, headers?: OutgoingHttpHeaders): unknown; end(): unknown },
): void {
  if (isGrpcContentType(headers["content-type"])) {
    const error = new ConnectError(`method ${path} is not served here`, Code.Unimplemented);
    response.writeHead(200, grpcHeaders(error));
  } else {
    response.writeHead(404);
  }
  response.end();
}

/** gRPC's answer without messages: the status stands in the headers. */
function grpcHeaders(error: ConnectError): OutgoingHttpHeaders {
  return { "content-type": GRPC_CONTENT_TYPE, ...statusTrailers(error) };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): RdbError {
  const address = formatAddress(host, port);
  if (error.code === "EADDRINUSE") {
    return new RdbError(
      "RDB_ADDRESS_IN_USE",
      `address ${address} is in use; stop the process that listens there or choose another port`,
      { details: { host, port }, cause: error },
    );
  }
  return new RdbError("RDB_UNAVAILABLE", `cannot listen on ${address}: ${error.message}`, {
    details: { host, port },
    cause: error,
  });
}

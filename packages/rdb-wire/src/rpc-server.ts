import type { IncomingHttpHeaders } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock, type Logger, RdbError, WindowedLog, assert } from "@flaredb/rdb-base";
import { formatAddress } from "./address.ts";
import type { Http2Driver, Http2Listener, Http2Session, ServerCall } from "./http2-driver.ts";
import { widenSessionWindow } from "./http2-settings.ts";
import { type ListenCounts, noListenCounts } from "./listen-counts.ts";
import { type ListenLimits, defaultListenLimits } from "./listen-limits.ts";
import { nodeHttp2 } from "./node-http2.ts";
import { refuse } from "./refusals.ts";
import { resetWhenAnswered } from "./reset-when-answered.ts";
import { ServedConnection } from "./served-connection.ts";
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
  /** What differs from the defaults. */
  readonly limits?: Partial<ListenLimits>;
  /** What is counted with. Default: nobody looks. */
  readonly counts?: ListenCounts | undefined;
}

type HotHandler = (stream: ServerCall, headers: IncomingHttpHeaders) => void;

/** One port for everything a process serves: HTTP/2, unary services by connect, hot streams directly. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: ListenLimits;
  readonly #server: Http2Listener;
  readonly #hotHandlers = new Map<string, HotHandler>();
  readonly #counts: ListenCounts;
  readonly #connections = new Map<
    object,
    { readonly session: Http2Session; readonly served: ServedConnection }
  >();
  #port = 0;
  #closing: Promise<void> | undefined;

  /** @param driver the HTTP/2 underneath; the simulator brings its own */
  constructor(options: RpcServerOptions, driver: Http2Driver = nodeHttp2) {
    this.#options = options;
    this.#limits = { ...defaultListenLimits, ...options.limits };
    const counts = options.counts ?? noListenCounts();
    this.#counts = counts;
    this.#server = driver.createServer({
      ...{ routes: options.routes ?? (() => {}), logger: options.logger },
      limits: this.#limits,
    });
    const { connectionMaxCount } = this.#limits;
    const refused = new WindowedLog(options.clock, options.logger);
    this.#server.onDropped(() => {
      counts.connectionsCut.too_many.value++;
      const fields = { connectionMaxCount, dropped: counts.connectionsCut.too_many.value };
      refused.warn("connections", fields, "a connection was closed unread: there are too many");
    });
    this.#server.onSession((session) => this.#sessionOpened(session));
    this.#server.onStream((stream, headers, serve) => this.#streamOpened(stream, headers, serve));
    this.#server.onSessionError((error) => {
      counts.connectionsCut.failed.value++;
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
      const { clock } = this.#options;
      const { messageMaxBytes } = this.#limits;
      new ServerStream(stream, headers, codec, { clock, messageMaxBytes }).start(accept);
    });
  }

  /**
   * @throws RdbError RDB_ADDRESS_IN_USE when another process listens there
   * @throws RdbError RDB_UNAVAILABLE when the address cannot be listened on for another reason
   */
  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.listen(port, host, (error, realPort) => {
        if (error !== undefined) {
          reject(listenError(error, host, port));
          return;
        }
        this.#server.onError((failure) => {
          this.#options.logger.error({ error: failure.message }, "server failed to accept a connection");
        });
        this.#port = realPort;
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

  /** Cuts every connection before it returns: what was not sent by then never is. Accepts nothing new. */
  cut(): void {
    void this.close(0);
    this.#cutAll();
  }

  async #close(graceMs: number): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const { session } of this.#connections.values()) {
      session.close();
    }
    const timer = this.#options.clock.setTimer(graceMs, () => this.#cutAll());
    await closed;
    timer.cancel();
  }

  #cutAll(): void {
    for (const { session } of [...this.#connections.values()]) {
      session.destroy();
    }
  }

  #sessionOpened(session: Http2Session): void {
    if (this.#closing !== undefined) {
      session.close();
      return;
    }
    widenSessionWindow(session);
    const { clock } = this.#options;
    const served = new ServedConnection(session, { clock, limits: this.#limits, counts: this.#counts });
    this.#connections.set(session, { session, served });
    session.on("close", () => {
      served.closed();
      this.#connections.delete(session);
    });
  }

  #streamOpened(stream: ServerCall, headers: IncomingHttpHeaders, serve: () => void): void {
    if (stream.session !== undefined) {
      this.#connections.get(stream.session)?.served.called(stream);
    }
    const hot = this.#hotHandlers.get(headers[":path"] ?? "");
    const refusal = hot && refuse(headers);
    if (hot !== undefined && refusal === undefined) {
      hot(stream, headers);
      return;
    }
    // A hot stream sees to its end itself.
    resetWhenAnswered(stream, this.#options.clock);
    if (refusal === undefined) {
      serve();
    } else {
      // The client may reset the stream meanwhile: then there is nobody to answer.
      stream.on("error", () => {});
      stream.respond(refusal, { endStream: true });
    }
  }
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

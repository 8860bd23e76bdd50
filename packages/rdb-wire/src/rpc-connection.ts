import { type Clock, RdbError, type Timer } from "@flaredb/rdb-base";
import { parseAddress } from "./address.ts";
import { ClientStream, type ClientStreamHandlers } from "./client-stream.ts";
import type { ClientSession, Http2Driver } from "./http2-driver.ts";
import { widenSessionWindow } from "./http2-settings.ts";
import { Keepalive, type KeepaliveOptions } from "./keepalive.ts";
import { nodeHttp2 } from "./node-http2.ts";
import type { StreamCodec } from "./stream-codec.ts";

export interface RpcConnectionOptions {
  /** host:port */
  readonly address: string;
  readonly clock: Clock;
  /** How long it may take until the server has accepted and spoken. Default 2 s. */
  readonly connectTimeoutMs?: number;
  /** When the other side is taken for dead. Default: asked after 500 ms of silence, 1 s to answer. */
  readonly keepalive?: KeepaliveOptions;
  /** The address to call from, when the host has several. */
  readonly localAddress?: string;
  /** Called once, after all its streams were told. Undefined when it was closed by this side or by GOAWAY. */
  readonly onClosed?: (error: RdbError | undefined) => void;
}

export const connectionDefaults = {
  connectTimeoutMs: 2_000,
  keepalive: { intervalMs: 500, timeoutMs: 1_000 },
} as const;

/**
 * The client's side of one HTTP/2 connection. Begins to connect when made, never reconnects: whoever wants that
 * makes another (see ReconnectingStream).
 */
export class RpcConnection {
  readonly address: string;
  readonly #options: RpcConnectionOptions;
  readonly #session: ClientSession;
  readonly #streams = new Set<ClientStream<never>>();
  readonly #connectTimer: Timer;
  #keepalive: Keepalive | undefined;
  #state: "connecting" | "open" | "draining" | "closed" = "connecting";
  #error: RdbError | undefined;

  /**
   * @param driver the HTTP/2 underneath; the simulator brings its own
   * @throws RdbError RDB_INVALID_ARGUMENT when the address is not host:port
   */
  constructor(options: RpcConnectionOptions, driver: Http2Driver = nodeHttp2) {
    const { host, port } = parseAddress(options.address);
    const { localAddress } = options;
    this.#options = options;
    this.address = options.address;
    this.#session = driver.connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    // The first frame of a live server. A process that hangs has an open port too: nothing is sent to that.
    this.#session.once("remoteSettings", () => this.#connected());
    this.#session.on("goaway", () => this.#drain());
    this.#session.on("error", (error: Error) => this.#fail(`connection failed: ${error.message}`, error));
    this.#session.on("close", () => this.#fail("closed the connection"));
    const connectTimeoutMs = options.connectTimeoutMs ?? connectionDefaults.connectTimeoutMs;
    this.#connectTimer = options.clock.setTimer(connectTimeoutMs, () =>
      this.#fail(`did not answer within ${connectTimeoutMs} ms`),
    );
  }

  /** Whether streams may be opened. */
  get isOpen(): boolean {
    return this.#state === "connecting" || this.#state === "open";
  }

  get isConnected(): boolean {
    return this.#state === "open";
  }

  /** Time of a round trip as last measured, without load of ours in it; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#keepalive?.roundTripMs;
  }

  /** @internal Something arrived on a stream. */
  heard(): void {
    this.#keepalive?.heard();
  }

  /**
   * Calls the bidi method at `path`, such as `/rdb.v1.KvService/Batch`. Items may be pushed at once.
   *
   * @throws RdbError RDB_UNAVAILABLE when the connection is closed or about to be
   */
  openStream<Out, In>(
    path: string,
    codec: StreamCodec<Out, In>,
    handlers: ClientStreamHandlers<In>,
  ): ClientStream<Out, In> {
    if (!this.isOpen) {
      throw this.#error ?? this.#unavailable("connection is closed");
    }
    const stream = new ClientStream<Out, In>({ address: this.address, path, connection: this }, codec, {
      onOpen: () => handlers.onOpen?.(),
      onMessage: (message) => handlers.onMessage(message),
      onClosed: (error) => {
        this.#streams.delete(stream as unknown as ClientStream<never>);
        handlers.onClosed(error);
      },
    });
    this.#streams.add(stream as unknown as ClientStream<never>);
    if (this.#state === "open") {
      stream.start(this.#session);
    }
    return stream;
  }

  /** Ends every stream at once with RDB_CLOSED. */
  close(): void {
    this.#end(new RdbError("RDB_CLOSED", `connection to ${this.address} was closed`), undefined);
  }

  #connected(): void {
    if (this.#state !== "connecting") {
      return;
    }
    this.#state = "open";
    this.#connectTimer.cancel();
    widenSessionWindow(this.#session);
    const keepalive = this.#options.keepalive ?? connectionDefaults.keepalive;
    this.#keepalive = new Keepalive(this.#session, this.#options.clock, keepalive, () =>
      this.#fail(`was silent for more than ${keepalive.intervalMs + keepalive.timeoutMs} ms`),
    );
    for (const stream of this.#streams) {
      stream.start(this.#session);
    }
  }

  /** The server is going: streams finish in good order, and no new ones are opened. */
  #drain(): void {
    if (this.#state !== "open") {
      return;
    }
    this.#state = "draining";
    for (const stream of this.#streams) {
      stream.close();
    }
  }

  #fail(what: string, cause?: Error): void {
    const wasDraining = this.#state === "draining" && this.#streams.size === 0;
    const error = this.#unavailable(what, cause);
    this.#end(error, wasDraining ? undefined : error);
  }

  #end(error: RdbError, reported: RdbError | undefined): void {
    if (this.#state === "closed") {
      return;
    }
    this.#state = "closed";
    this.#error = error;
    this.#connectTimer.cancel();
    this.#keepalive?.stop();
    for (const stream of this.#streams) {
      stream.abandon(error);
    }
    this.#session.destroy();
    this.#options.onClosed?.(reported);
  }

  #unavailable(what: string, cause?: Error): RdbError {
    return new RdbError("RDB_UNAVAILABLE", `${this.address} ${what}`, {
      details: { address: this.address },
      cause,
    });
  }
}

import { type Clock, type Random, RdbError, type Timer } from "@flaredb/rdb-base";
import type { RpcConnectionOptions } from "./rpc-connection.ts";
import type { StreamCodec } from "./stream-codec.ts";
import type { OutboundStream, Wire, WireConnection } from "./wire.ts";

export interface ReconnectingStreamOptions<In> {
  readonly wire: Pick<Wire, "connect">;
  /** The bidi method, such as `/rdb.v1.RaftService/Batch`. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Address, timeouts and keepalive of each connection. */
  readonly connection: Omit<RpcConnectionOptions, "clock" | "onClosed">;
  /** Most items kept while there is no connection; 0 (the default): they are dropped. */
  readonly queueMaxCount?: number;
  /** Pauses between attempts: doubled from min to max, each drawn from its upper half. Default 50 ms to 1 s. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
  /** The server took the stream. */
  onUp?(): void;
  /** It was up and is not any more. Items in flight may or may not have arrived. */
  onDown?(error: RdbError): void;
  onMessage(message: In): void;
}

const defaultBackoff = { minMs: 50, maxMs: 1_000 } as const;

/**
 * Keeps one stream to an address alive, on a connection of its own, until it is closed. Gives no promise about
 * items: what was on its way when a connection died may be lost.
 */
export class ReconnectingStream<Out, In> {
  readonly #codec: StreamCodec<Out, In>;
  readonly #options: ReconnectingStreamOptions<In>;
  #connection: WireConnection | undefined;
  #stream: OutboundStream<Out> | undefined;
  #isUp = false;
  #isClosed = false;
  #queue: Out[] = [];
  #failedAttempts = 0;
  #timer: Timer | undefined;

  /** @throws RdbError RDB_INVALID_ARGUMENT when the address is not host:port */
  constructor(codec: StreamCodec<Out, In>, options: ReconnectingStreamOptions<In>) {
    this.#codec = codec;
    this.#options = options;
    this.#connect();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** @returns whether the item was taken; not when there is no connection (and no queue), or a queue is full */
  push(item: Out): boolean {
    if (this.#isUp && this.#stream !== undefined) {
      return this.#stream.push(item);
    }
    if (this.#isClosed || this.#queue.length >= (this.#options.queueMaxCount ?? 0)) {
      return false;
    }
    this.#queue.push(item);
    return true;
  }

  /** Ends the stream and the attempts. `onDown` is not called. */
  close(): void {
    this.#isClosed = true;
    this.#isUp = false;
    this.#queue = [];
    this.#timer?.cancel();
    this.#connection?.close();
  }

  #connect(): void {
    const connection = this.#options.wire.connect({
      ...this.#options.connection,
      clock: this.#options.clock,
      onClosed: () => {
        if (this.#connection === connection) {
          this.#retry();
        }
      },
    });
    this.#connection = connection;
    this.#stream = connection.openStream(this.#options.path, this.#codec, {
      onOpen: () => this.#up(),
      onMessage: (message) => this.#options.onMessage(message),
      onClosed: (error) => {
        this.#down(error);
        // The stream alone may have ended; a connection without it is of no use.
        connection.close();
      },
    });
  }

  #up(): void {
    this.#isUp = true;
    this.#failedAttempts = 0;
    const queue = this.#queue;
    this.#queue = [];
    for (const item of queue) {
      this.#stream?.push(item);
    }
    this.#options.onUp?.();
  }

  #down(error: RdbError | undefined): void {
    this.#stream = undefined;
    if (!this.#isUp) {
      return;
    }
    this.#isUp = false;
    if (!this.#isClosed) {
      const { address } = this.#options.connection;
      this.#options.onDown?.(error ?? new RdbError("RDB_UNAVAILABLE", `${address} closed the stream`));
    }
  }

  #retry(): void {
    if (this.#isClosed) {
      return;
    }
    const { minMs, maxMs } = this.#options.backoff ?? defaultBackoff;
    const delayMs = Math.min(maxMs, minMs * 2 ** Math.min(this.#failedAttempts, 20));
    this.#failedAttempts++;
    const jitteredMs = delayMs * (0.5 + this.#options.random.nextFraction() / 2);
    this.#timer = this.#options.clock.setTimer(jitteredMs, () => this.#connect());
  }
}

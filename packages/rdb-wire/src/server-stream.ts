import { type IncomingHttpHeaders, constants } from "node:http2";
import { type Clock, RdbError, type Timer } from "@flaredb/rdb-base";
import type { BatchWriter } from "./batch-writer.ts";
import { GRPC_CONTENT_TYPE, statusTrailers } from "./grpc-status.ts";
import type { ServerCall } from "./http2-driver.ts";
import { MessageReader } from "./message-reader.ts";
import { ANSWERED_TIMEOUT_MS } from "./reset-when-answered.ts";
import type { StreamCodec } from "./stream-codec.ts";
import { streamWriter } from "./stream-writer.ts";

/** What the owner of a server stream does with it. Nothing may throw; a throw ends the process as a bug. */
export interface ServerStreamHandlers<In> {
  /** A message, already decoded. */
  onMessage(message: In): void;
  /**
   * The client sends no more but still wants its answers: call `close()` once they are all pushed. Comes too when
   * this server closes gracefully, as the client's answer to that.
   */
  onEnd(): void;
  /** Once, at the end: undefined when the stream ended in good order. What was not written is lost. */
  onClosed(error: RdbError | undefined): void;
}

/** How long a stream that was closed may take to write what waits and its status, and the client to end its side. */
const CLOSE_TIMEOUT_MS = ANSWERED_TIMEOUT_MS;

/** The server's end of one batch stream: gRPC's framing on an HTTP/2 stream. */
export class ServerStream<Out, In = unknown> {
  /** Who called, as host:port. */
  readonly peerAddress: string;
  /** The call's metadata. */
  readonly headers: IncomingHttpHeaders;
  readonly #stream: ServerCall;
  readonly #clock: Clock;
  readonly #writer: BatchWriter<Out>;
  readonly #reader: MessageReader<In>;
  #handlers: ServerStreamHandlers<In> | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #endedWithStatus = false;
  #error: RdbError | undefined;
  #closeTimer: Timer | undefined;

  /** @internal RpcServer makes these */
  constructor(
    stream: ServerCall,
    headers: IncomingHttpHeaders,
    codec: StreamCodec<Out, In>,
    { clock, messageMaxBytes }: { readonly clock: Clock; readonly messageMaxBytes: number },
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.headers = headers;
    const socket = stream.session?.socket;
    this.peerAddress = `${socket?.remoteAddress ?? "unknown"}:${socket?.remotePort ?? 0}`;
    this.#writer = streamWriter(codec, () => stream);
    this.#reader = new MessageReader(
      (bytes) => codec.decode(bytes),
      (message) => {
        if (this.#state === "open") {
          this.#handlers?.onMessage(message);
        }
      },
      messageMaxBytes,
    );
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** About how many bytes wait to be written. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /**
   * Sends an item with whatever else gathers.
   *
   * @returns false when the stream is closed, or the client reads so slowly that the queue is full: close it then
   */
  push(item: Out): boolean {
    return this.#writer.push(item);
  }

  /** Writes what waits, then the status: OK, or the error's. Further calls do nothing. */
  close(error?: RdbError): void {
    if (this.#state !== "open") {
      return;
    }
    this.#state = "closing";
    this.#error = error;
    this.#closeTimer = this.#clock.setTimer(CLOSE_TIMEOUT_MS, () =>
      this.#stream.close(constants.NGHTTP2_CANCEL),
    );
    this.#writer.drain(() => this.#stream.end());
  }

  /** @internal */
  start(accept: (stream: this) => ServerStreamHandlers<In>): void {
    const stream = this.#stream;
    stream.respond(
      { ":status": 200, "content-type": GRPC_CONTENT_TYPE, "grpc-accept-encoding": "identity" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => this.#sendStatus());
    stream.on("data", (chunk: Uint8Array) => this.#received(chunk));
    stream.on("end", () => this.#ended());
    // What it says is told by "close", which always follows.
    stream.on("error", (error: Error) => this.#failed(error));
    stream.on("close", () => this.#closed());
    this.#handlers = accept(this);
    this.#writer.release();
  }

  #sendStatus(): void {
    this.#stream.sendTrailers(statusTrailers(this.#error));
    this.#endedWithStatus = true;
    // A client that is still sending ends its side when it reads the status. A reset from here would overtake the
    // trailers, so it only comes when the client does not (the timer of close()).
  }

  #received(chunk: Uint8Array): void {
    if (this.#state !== "open") {
      return;
    }
    const error = this.#reader.read(chunk);
    if (error !== undefined) {
      this.close(error);
    }
  }

  #ended(): void {
    // A stream that was reset "ends" too; "close" tells about that.
    if (this.#state !== "open" || this.#stream.closed || this.#stream.aborted) {
      return;
    }
    const error = this.#reader.end();
    if (error !== undefined) {
      this.close(error);
      return;
    }
    this.#handlers?.onEnd();
  }

  #failed(error: Error): void {
    this.#error ??= new RdbError(
      "RDB_UNAVAILABLE",
      `stream from ${this.peerAddress} failed: ${error.message}`,
      {
        cause: error,
      },
    );
  }

  #closed(): void {
    this.#state = "closed";
    this.#closeTimer?.cancel();
    this.#writer.close();
    if (!this.#endedWithStatus) {
      this.#error ??= new RdbError("RDB_UNAVAILABLE", `client ${this.peerAddress} went away`);
    }
    this.#handlers?.onClosed(this.#error);
  }
}

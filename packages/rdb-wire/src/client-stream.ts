import { type IncomingHttpHeaders, constants } from "node:http2";
import { RdbError } from "@flaredb/rdb-base";
import type { BatchWriter } from "./batch-writer.ts";
import { GRPC_CONTENT_TYPE, errorFromTrailers, isGrpcContentType } from "./grpc-status.ts";
import type { ClientCall, ClientSession } from "./http2-driver.ts";
import { MessageReader } from "./message-reader.ts";
import type { StreamCodec } from "./stream-codec.ts";
import { streamWriter } from "./stream-writer.ts";

/** What the owner of a client stream does with it. Nothing may throw; a throw ends the process as a bug. */
export interface ClientStreamHandlers<In> {
  /** The server took the call. Items may be pushed before; they wait only for the connection. */
  onOpen?(): void;
  /** A message, already decoded. */
  onMessage(message: In): void;
  /**
   * Once, at the end. Undefined when this side closed the stream (or the server asked it to, by GOAWAY) and every
   * answer came. Items that `encode` never saw were not sent; of those that it saw, nothing is known.
   */
  onClosed(error: RdbError | undefined): void;
}

/** What a stream asks of its connection, and tells it. */
interface StreamOwner {
  readonly roundTripMs: number | undefined;
  /** Something arrived. */
  heard(): void;
}

/** The client's end of one batch stream: gRPC's framing on an HTTP/2 stream. Never retries anything. */
export class ClientStream<Out, In = unknown> {
  readonly #address: string;
  readonly #path: string;
  readonly #handlers: ClientStreamHandlers<In>;
  readonly #writer: BatchWriter<Out>;
  readonly #reader: MessageReader<In>;
  readonly #connection: StreamOwner;
  #stream: ClientCall | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #error: RdbError | undefined;
  #endedOk = false;

  /** @internal RpcConnection makes these */
  constructor(
    options: { readonly address: string; readonly path: string; readonly connection: StreamOwner },
    codec: StreamCodec<Out, In>,
    handlers: ClientStreamHandlers<In>,
  ) {
    this.#address = options.address;
    this.#path = options.path;
    this.#connection = options.connection;
    this.#handlers = handlers;
    this.#writer = streamWriter(codec, () => this.#stream as ClientCall);
    this.#reader = new MessageReader(
      (bytes) => codec.decode(bytes),
      (message) => {
        if (this.#state !== "closed") {
          handlers.onMessage(message);
        }
      },
    );
  }

  /** Whether `push` may succeed. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Items that were pushed and not handed to the socket yet. */
  get queuedCount(): number {
    return this.#writer.queuedCount;
  }

  /** Time of a round trip on its connection; undefined before the first was measured. */
  get roundTripMs(): number | undefined {
    return this.#connection.roundTripMs;
  }

  /** About how many bytes wait to be handed to the socket. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /**
   * Sends an item with whatever else gathers.
   *
   * @returns false when the stream is closed or closing (`isOpen` tells), or the queue is full
   */
  push(item: Out): boolean {
    return this.#writer.push(item);
  }

  /**
   * Sends what waits, takes no more, and lets the server finish its answers. Before the connection is made what was pushed
   * waits for that; where it fails, `onClosed` gets the error. With nothing to send it ends at once.
   */
  close(): void {
    if (this.#state !== "open") {
      return;
    }
    this.#state = "closing";
    if (this.#stream === undefined && this.#writer.queuedCount === 0) {
      this.#finish();
      return;
    }
    this.#writer.drain(() => this.#stream?.end());
  }

  /** Ends at once; `onClosed` gets the error, before this returns. */
  destroy(error: RdbError): void {
    this.abandon(error);
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  /** @internal As `destroy`, by a connection that ends as a whole. */
  abandon(error: RdbError): void {
    this.#error ??= error;
    this.#finish();
  }

  /** @internal The connection is up. */
  start(session: ClientSession): void {
    const stream = session.request({
      ":method": "POST",
      ":path": this.#path,
      "content-type": GRPC_CONTENT_TYPE,
      te: "trailers",
    });
    this.#stream = stream;
    stream.on("response", (headers) => this.#answered(headers));
    stream.on("data", (chunk: Uint8Array) => this.#received(chunk));
    stream.on("trailers", (trailers) => this.#statusReceived(errorFromTrailers(trailers)));
    // The server has said all: it takes nothing more either.
    stream.on("end", () => stream.close(constants.NGHTTP2_NO_ERROR));
    stream.on("error", (error: Error) => {
      this.#error ??= this.#unavailable(`stream failed: ${error.message}`, error);
    });
    stream.on("close", () => this.#finish());
    this.#writer.release();
  }

  #answered(headers: IncomingHttpHeaders): void {
    this.#connection.heard();
    const status = Number(headers[":status"]);
    if (status !== 200 || !isGrpcContentType(headers["content-type"])) {
      const contentType = headers["content-type"] ?? "none";
      this.destroy(
        this.#unavailable(`answered ${this.#path} with HTTP status ${status}, content type ${contentType}`),
      );
      return;
    }
    if (headers["grpc-status"] !== undefined) {
      this.#statusReceived(errorFromTrailers(headers));
      return;
    }
    this.#handlers.onOpen?.();
  }

  #received(chunk: Uint8Array): void {
    this.#connection.heard();
    const error = this.#reader.read(chunk);
    if (error !== undefined) {
      this.destroy(error);
    }
  }

  #statusReceived(error: RdbError | undefined | "missing"): void {
    if (error === "missing") {
      this.#error ??= this.#unavailable("ended the stream without a status");
    } else if (error === undefined) {
      this.#endedOk = true;
    } else {
      this.#error ??= error;
    }
  }

  #finish(): void {
    if (this.#state === "closed") {
      return;
    }
    const wasAsked = this.#state === "closing";
    this.#state = "closed";
    this.#writer.close();
    if (this.#error === undefined && this.#stream !== undefined && !(wasAsked && this.#endedOk)) {
      this.#error = this.#unavailable(this.#endedOk ? "ended the stream" : "went away");
    }
    this.#handlers.onClosed(this.#error);
  }

  #unavailable(what: string, cause?: Error): RdbError {
    return new RdbError("RDB_UNAVAILABLE", `${this.#address} ${what}`, {
      details: { address: this.#address },
      cause,
    });
  }
}

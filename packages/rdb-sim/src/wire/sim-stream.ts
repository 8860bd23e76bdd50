import { EventEmitter } from "node:events";
import type { OutgoingHttpHeaders } from "node:http2";
import { assert } from "@flaredb/rdb-base";
import type { ClientCall, ServerCall } from "@flaredb/rdb-wire/driver";
import { type Frame, dataFrame, frame, headersFrame, rstCodes } from "./frame.ts";
import { sendMessage } from "./message-faults.ts";
import type { SimSession } from "./sim-session.ts";

interface WaitingWrite {
  readonly bytes: Uint8Array;
  readonly written: (error?: Error | null) => void;
}

/**
 * One end of an HTTP/2 stream, with the events of node:http2: `response`, `data`, `trailers`, `end`, `wantTrailers`,
 * `error`, `close`.
 */
export class SimStream extends EventEmitter implements ClientCall, ServerCall {
  readonly id: number;
  readonly path: string;
  readonly session: SimSession;
  /** When false, whoever reads says by `consumed` how much the sender may send again. */
  consumesAtOnce = true;
  /** What is sent from now on is lost. */
  isMuted = false;
  rstCode: number = rstCodes.noError;
  readonly #writes: WaitingWrite[] = [];
  readonly #windowBytes: number;
  /** What may still be sent; below 0 after a message that was larger. */
  #creditBytes: number;
  /** Read and not told to the sender yet. */
  #consumedBytes = 0;
  #endsWithTrailers = false;
  #isEnding = false;
  #hasEnded = false;
  #remoteHasEnded = false;
  #isClosed = false;
  #isAborted = false;

  constructor(session: SimSession, id: number, path: string) {
    super();
    this.session = session;
    this.id = id;
    this.path = path;
    this.#windowBytes = session.net.windowBytes;
    this.#creditBytes = this.#windowBytes;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  get aborted(): boolean {
    return this.#isAborted;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    if (this.#isClosed || this.#isEnding) {
      this.session.defer(() => written(new Error("the stream is closed")));
      return;
    }
    if (this.#creditBytes <= 0) {
      this.#writes.push({ bytes, written });
      return;
    }
    this.#write(bytes, written);
  }

  end(): void {
    if (this.#isClosed || this.#isEnding) {
      return;
    }
    this.#isEnding = true;
    this.#endIfWritten();
  }

  respond(
    headers: OutgoingHttpHeaders,
    options: { readonly waitForTrailers?: boolean; readonly endStream?: boolean },
  ): void {
    if (this.#isClosed) {
      return;
    }
    this.#endsWithTrailers = options.waitForTrailers === true;
    const isLast = options.endStream === true;
    this.#send(headersFrame("headers", this.id, headers, isLast));
    if (isLast) {
      this.#isEnding = true;
      this.#ended();
    }
  }

  sendTrailers(headers: OutgoingHttpHeaders): void {
    if (!this.#isClosed) {
      this.#send(headersFrame("trailers", this.id, headers, true));
      this.#ended();
    }
  }

  close(rstCode: number = rstCodes.noError): void {
    if (this.#isClosed) {
      return;
    }
    this.session.send(frame("reset", this.id, rstCode));
    this.#close(rstCode, undefined);
  }

  /** Sends a message past the window and past every fault. */
  sendRaw(bytes: Uint8Array): void {
    this.#send(dataFrame(this.id, bytes));
  }

  /** So many bytes were read: the sender may send as many again. */
  consumed(sizeBytes: number): void {
    this.#consumedBytes += sizeBytes;
    if (this.#consumedBytes >= this.#windowBytes / 2) {
      this.#send(frame("credit", this.id, this.#consumedBytes));
      this.#consumedBytes = 0;
    }
  }

  /** @internal The connection is gone. */
  gone(): void {
    if (!this.#isClosed) {
      this.#isAborted = true;
      this.#close(rstCodes.cancel, undefined);
    }
  }

  /** @internal */
  receive(received: Frame): void {
    if (this.#isClosed) {
      return;
    }
    switch (received.kind) {
      case "headers":
        this.emit("response", received.headers);
        if (received.value === 1) {
          this.#remoteEnded();
        }
        return;
      case "data":
        this.#received(received.bytes as Uint8Array);
        return;
      case "trailers":
        this.emit("trailers", received.headers);
        this.#remoteEnded();
        return;
      case "end":
        this.#remoteEnded();
        return;
      case "credit":
        this.#credited(received.value);
        return;
      case "reset":
        this.#isAborted = true;
        this.#close(received.value, resetError(received.value));
        return;
      default:
        // The connection keeps what is its own.
        assert(false, `a stream gets no ${received.kind}`);
    }
  }

  #write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.#creditBytes -= bytes.length;
    sendMessage(this, dataFrame(this.id, bytes));
    // What a batch writer does then settles no promise, so that no event of the clock is spent on it.
    process.nextTick(() => this.session.connection.process.run(written));
  }

  #received(bytes: Uint8Array): void {
    const { net, connection } = this.session;
    net.report("deliver", connection.remote, this.id, this.path, bytes.length);
    if (this.consumesAtOnce) {
      this.consumed(bytes.length);
    }
    this.emit("data", bytes);
  }

  #credited(sizeBytes: number): void {
    this.#creditBytes = Math.min(this.#windowBytes, this.#creditBytes + sizeBytes);
    while (this.#creditBytes > 0) {
      const waiting = this.#writes.shift();
      if (waiting === undefined) {
        break;
      }
      this.#write(waiting.bytes, waiting.written);
    }
    this.#endIfWritten();
  }

  #endIfWritten(): void {
    if (!this.#isEnding || this.#hasEnded || this.#writes.length > 0) {
      return;
    }
    if (this.#endsWithTrailers) {
      this.#endsWithTrailers = false;
      this.session.defer(() => this.emit("wantTrailers"));
    } else if (!this.#isClosed) {
      this.#send(frame("end", this.id));
      this.#ended();
    }
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#closeIfEnded();
  }

  #remoteEnded(): void {
    this.#remoteHasEnded = true;
    this.emit("end");
    this.#closeIfEnded();
  }

  #closeIfEnded(): void {
    if (this.#hasEnded && this.#remoteHasEnded && !this.#isClosed) {
      this.#close(rstCodes.noError, undefined);
    }
  }

  #close(rstCode: number, error: Error | undefined): void {
    this.#isClosed = true;
    this.rstCode = rstCode;
    this.#writes.length = 0;
    this.session.defer(() => {
      if (error !== undefined) {
        this.emit("error", error);
      }
      this.emit("close");
    });
    // After that: it may end the connection, whose end is told after its streams'.
    this.session.forgetStream(this);
  }

  #send(sent: Frame): void {
    if (!this.isMuted) {
      this.session.send(sent);
    }
  }
}

function resetError(rstCode: number): Error | undefined {
  return rstCode === rstCodes.noError || rstCode === rstCodes.cancel
    ? undefined
    : new Error(`stream closed with HTTP/2 error code ${rstCode}`);
}

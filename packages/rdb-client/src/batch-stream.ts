import { type Clock, type RdbError, type StoreId, assert } from "@flaredb/rdb-base";
import { type KvResponse, decodeBatchResponse, encodeBatchRequest } from "@flaredb/rdb-proto";
import type { StreamCodec } from "@flaredb/rdb-wire";
import type { KvCall } from "./kv-call.ts";
import type { StoreConnector, StoreStream } from "./ports.ts";
import { RequestGroups } from "./request-groups.ts";
import type { WriteSessions } from "./write-sessions.ts";

/** Bytes of a request beside its keys and values. */
const REQUEST_OVERHEAD_BYTES = 24;
const REQUEST_ID_MAX = 0xffff_ffff;

export interface BatchStreamHandlers {
  /** The Store took the stream. */
  onUp(): void;
  onAnswer(call: KvCall, answer: KvResponse): void;
  /**
   * Once. Of the `unsent` calls nothing reached the socket; the `sent` ones may have been served, now or later.
   * `error` is undefined when the Store ended the stream in good order.
   */
  onClosed(unsent: readonly KvCall[], sent: readonly KvCall[], error: RdbError | undefined): void;
}

/** One `KvService.Batch` stream: groups what gathers by Region, gives request ids, brings answers back to calls. */
export class BatchStream {
  readonly #storeId: StoreId;
  readonly #clock: Clock;
  readonly #sessions: WriteSessions;
  readonly #handlers: BatchStreamHandlers;
  readonly #stream: StoreStream<KvCall>;
  /** Queued or sent, by request id. */
  readonly #pending = new Map<number, KvCall>();
  #lastRequestId = 0;
  #isRetired = false;
  #heardMs = -Infinity;

  constructor(
    options: {
      readonly connector: StoreConnector;
      readonly address: string;
      readonly storeId: StoreId;
      readonly clock: Clock;
      readonly sessions: WriteSessions;
    },
    handlers: BatchStreamHandlers,
  ) {
    this.#storeId = options.storeId;
    this.#clock = options.clock;
    this.#sessions = options.sessions;
    this.#handlers = handlers;
    const codec: StreamCodec<KvCall, KvResponse[]> = {
      encode: (calls) => this.#encode(calls),
      hasFrameRoom: true,
      sizeOf: (call) => call.spec.sizeBytes + REQUEST_OVERHEAD_BYTES,
      decode: (message) => decodeBatchResponse(message).responses,
    };
    this.#stream = options.connector.open(options.address, codec, {
      onOpen: () => handlers.onUp(),
      onMessage: (answers) => this.#answered(answers),
      onClosed: (error) => this.#closed(error),
    });
  }

  get isOpen(): boolean {
    return this.#stream.isOpen;
  }

  get roundTripMs(): number | undefined {
    return this.#stream.roundTripMs;
  }

  /** When the Store last answered anything; on the monotonic clock. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** @returns whether the call was taken, and is `queued` now; not when the queue is full or the stream closing */
  push(call: KvCall): boolean {
    const requestId = this.#nextRequestId();
    call.requestId = requestId;
    call.state = "queued";
    if (!this.#stream.push(call)) {
      call.state = "idle";
      return false;
    }
    this.#pending.set(requestId, call);
    return true;
  }

  /** The call is no longer waited for: if it is still queued it is not sent, and an answer is ignored. */
  forget(call: KvCall): void {
    this.#pending.delete(call.requestId);
    this.#closeIfDone();
  }

  /** Ends at once; `onClosed` is called. */
  close(): void {
    this.#stream.close();
  }

  /** Ends as soon as every call that it holds is answered. Nothing is pushed after. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.#pending.size === 0) {
      this.#stream.close();
    }
  }

  #nextRequestId(): number {
    do {
      this.#lastRequestId = this.#lastRequestId === REQUEST_ID_MAX ? 1 : this.#lastRequestId + 1;
    } while (this.#pending.has(this.#lastRequestId));
    return this.#lastRequestId;
  }

  /** Called when the calls are handed to the socket: from here on they count as sent. */
  #encode(calls: readonly KvCall[]): Uint8Array | undefined {
    const groups = new RequestGroups(this.#storeId, this.#sessions, this.#clock.monotonicMs());
    for (const call of calls) {
      if (this.#pending.get(call.requestId) !== call || call.state === "sent") {
        // Forgotten while it was queued; or forgotten, queued once more, and sent at the first of its places.
        continue;
      }
      assert(call.state === "queued", "a call that waits for the socket is queued");
      call.state = "sent";
      call.attemptCount++;
      groups.add(call);
    }
    const message = groups.message();
    return message && encodeBatchRequest(message);
  }

  #answered(answers: readonly KvResponse[]): void {
    this.#heardMs = this.#clock.monotonicMs();
    for (const answer of answers) {
      const call = this.#pending.get(answer.requestId);
      // Without one: it was given up before the answer came.
      if (call !== undefined) {
        this.#pending.delete(answer.requestId);
        this.#handlers.onAnswer(call, answer);
      }
    }
    this.#closeIfDone();
  }

  #closed(error: RdbError | undefined): void {
    const unsent: KvCall[] = [];
    const sent: KvCall[] = [];
    for (const call of this.#pending.values()) {
      (call.state === "sent" ? sent : unsent).push(call);
    }
    this.#pending.clear();
    this.#handlers.onClosed(unsent, sent, error);
  }
}

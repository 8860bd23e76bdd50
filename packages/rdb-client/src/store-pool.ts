import type { Clock, Random, RdbError, StoreId } from "@flaredb/rdb-base";
import type { KvResponse } from "@flaredb/rdb-proto";
import { BatchStream } from "./batch-stream.ts";
import type { KvCall } from "./kv-call.ts";
import type { StoreConnector } from "./ports.ts";
import type { WriteSessions } from "./write-sessions.ts";

/** Pauses between attempts to reach a Store that failed. */
const reconnectMs = { minMs: 50, maxMs: 1_000 } as const;

export interface StorePoolHandlers {
  onAnswer(call: KvCall, answer: KvResponse): void;
  /** As BatchStreamHandlers.onClosed. */
  onClosed(unsent: readonly KvCall[], sent: readonly KvCall[], error: RdbError | undefined): void;
  /** A Store that did not answer does again. */
  onBack(storeId: StoreId): void;
}

/** What is known of one Store, and the stream to it. */
interface Slot {
  address: string;
  stream: BatchStream | undefined;
  /** `new`: not known to fail; `up`: took the stream; `down`: failed, and only used again once it is up. */
  state: "new" | "up" | "down";
  failedAttempts: number;
  /** When the next attempt may be made; on the monotonic clock. */
  retryAtMs: number;
}

/** One connection with one `KvService.Batch` stream to each Store, made when first needed and again when lost. */
export class StorePool {
  readonly #connector: StoreConnector;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sessions: WriteSessions;
  readonly #handlers: StorePoolHandlers;
  readonly #slots = new Map<StoreId, Slot>();
  /** Also those that only wait for their last answers. */
  readonly #streams = new Set<BatchStream>();

  constructor(
    options: {
      readonly connector: StoreConnector;
      readonly clock: Clock;
      readonly random: Random;
      readonly sessions: WriteSessions;
    },
    handlers: StorePoolHandlers,
  ) {
    this.#connector = options.connector;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#sessions = options.sessions;
    this.#handlers = handlers;
  }

  /** A Store answers at the address, somebody said. */
  learn(storeId: StoreId, address: string): void {
    const slot = this.#slots.get(storeId);
    if (address === "" || slot?.address === address) {
      return;
    }
    this.#slots.set(storeId, { address, stream: undefined, state: "new", failedAttempts: 0, retryAtMs: 0 });
    slot?.stream?.retire();
  }

  /** Another Store answers at the address that was known. */
  forget(storeId: StoreId): void {
    const slot = this.#slots.get(storeId);
    this.#slots.delete(storeId);
    slot?.stream?.retire();
  }

  /** The address as last learned. */
  addressOf(storeId: StoreId): string | undefined {
    return this.#slots.get(storeId)?.address;
  }

  /** Time of a round trip; undefined for a Store without a connection. */
  roundTripMs(storeId: StoreId): number | undefined {
    return this.#slots.get(storeId)?.stream?.roundTripMs;
  }

  /**
   * Whether a call may be sent to the Store: its address is known, and the last that was heard is not that it is
   * down. For one that is, asking begins an attempt to reach it when its time has come; see `onBack`.
   */
  canTry(storeId: StoreId): boolean {
    const slot = this.#slots.get(storeId);
    if (slot === undefined) {
      return false;
    }
    if (slot.stream?.isOpen === false) {
      // It is shutting down in good order: what was sent is still answered.
      this.#down(slot);
    }
    if (slot.state !== "down") {
      return true;
    }
    if (slot.stream === undefined && this.#clock.monotonicMs() >= slot.retryAtMs) {
      this.#open(storeId, slot);
    }
    return false;
  }

  /** Only after `canTry`. @returns the stream that took the call, or undefined when its queue is full */
  push(storeId: StoreId, call: KvCall): BatchStream | undefined {
    const slot = this.#slots.get(storeId);
    if (slot === undefined) {
      return undefined;
    }
    const stream = slot.stream ?? this.#open(storeId, slot);
    return stream.push(call) ? stream : undefined;
  }

  /** Ends every stream. */
  close(): void {
    this.#slots.clear();
    for (const stream of [...this.#streams]) {
      stream.close();
    }
  }

  #open(storeId: StoreId, slot: Slot): BatchStream {
    const stream = new BatchStream(
      {
        connector: this.#connector,
        address: slot.address,
        storeId,
        clock: this.#clock,
        sessions: this.#sessions,
      },
      {
        onUp: () => {
          const wasDown = slot.state === "down";
          slot.state = "up";
          slot.failedAttempts = 0;
          if (wasDown) {
            this.#handlers.onBack(storeId);
          }
        },
        onAnswer: (call, answer) => this.#handlers.onAnswer(call, answer),
        onClosed: (unsent, sent, error) => {
          this.#streams.delete(stream);
          if (slot.stream === stream) {
            this.#down(slot);
          }
          this.#handlers.onClosed(unsent, sent, error);
        },
      },
    );
    slot.stream = stream;
    this.#streams.add(stream);
    return stream;
  }

  #down(slot: Slot): void {
    slot.stream = undefined;
    slot.state = "down";
    const { minMs, maxMs } = reconnectMs;
    const spanMs = Math.min(maxMs, minMs * 2 ** Math.min(slot.failedAttempts, 10));
    slot.failedAttempts++;
    slot.retryAtMs = this.#clock.monotonicMs() + spanMs * (0.5 + this.#random.nextFraction() / 2);
  }
}

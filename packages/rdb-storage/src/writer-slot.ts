import { KiB, assert } from "@flaredb/rdb-base";
import type { EncodedBatch } from "./batch-codec.ts";

// How the loop hands a batch to the writer thread: by memory that both see. A message costs both sides some 20 us more
// and takes as long again to arrive (ADR 26), which is most of what a pass of one small write costs.

/** A batch that is larger goes by message. */
const SLOT_BYTES = 256 * KiB;

// The words of the slot.
/** How many requests there were: the writer sleeps until it is another number. */
const TICKET = 0;
/** Of the batch in the slot; {@link IN_MESSAGE}: the request is a message. */
const LENGTH = 1;
const SYNC = 2;
const WORD_COUNT = 3;
const IN_MESSAGE = -1;

/** Memory that the loop and the writer thread share. */
export interface WriterSlot {
  readonly words: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
}

/** What the writer is woken for: a batch in the slot, whose bytes it must not keep, or a message at its port. */
export type SlotRequest =
  | { readonly batch: EncodedBatch<SharedArrayBuffer>; readonly sync: boolean }
  | "message";

export function newWriterSlot(): WriterSlot {
  return {
    words: new SharedArrayBuffer(WORD_COUNT * Int32Array.BYTES_PER_ELEMENT),
    bytes: new SharedArrayBuffer(SLOT_BYTES),
  };
}

/** The loop's end. The next request may follow once the writer has answered. */
export class SlotSender {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor({ words, bytes }: WriterSlot) {
    this.#words = new Int32Array(words);
    this.#bytes = new Uint8Array(bytes);
  }

  fits({ length }: EncodedBatch): boolean {
    return length <= this.#bytes.length;
  }

  /** Copies the batch and wakes the writer. */
  send({ buffer, length }: EncodedBatch, sync: boolean): void {
    assert(length <= this.#bytes.length, "a batch in the slot fits");
    this.#bytes.set(buffer.subarray(0, length));
    this.#wake(length, sync);
  }

  /** Wakes the writer for a message that was posted before. */
  sendMessage(): void {
    this.#wake(IN_MESSAGE, false);
  }

  #wake(length: number, sync: boolean): void {
    this.#words[LENGTH] = length;
    this.#words[SYNC] = sync ? 1 : 0;
    // Last: who sees the ticket sees what was written before it.
    Atomics.add(this.#words, TICKET, 1);
    Atomics.notify(this.#words, TICKET);
  }
}

/** The writer's end. */
export class SlotReceiver {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  #seen = 0;

  constructor({ words, bytes }: WriterSlot) {
    this.#words = new Int32Array(words);
    this.#bytes = new Uint8Array(bytes);
  }

  /** Blocks the thread until the next request. */
  next(): SlotRequest {
    while (Atomics.load(this.#words, TICKET) === this.#seen) {
      Atomics.wait(this.#words, TICKET, this.#seen);
    }
    this.#seen = (this.#seen + 1) | 0;
    const length = this.#words[LENGTH] as number;
    return length === IN_MESSAGE
      ? "message"
      : { batch: { buffer: this.#bytes, length }, sync: this.#words[SYNC] === 1 };
  }
}

import { assert, type Index } from "@flaredb/rdb-base";

/**
 * The window of MsgApp that a follower has not acknowledged: a ring of (last index, bytes), oldest first,
 * bounded by count and by bytes. The ring grows as it is used, so that an idle follower costs nothing.
 */
export class Inflights {
  readonly maxMessages: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  #start = 0;
  #count = 0;
  #bytes = 0;
  #indexes: Index[] = [];
  #sizes: number[] = [];

  constructor(maxMessages: number, maxBytes: number) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
  }

  /** How many messages are in flight. */
  get count(): number {
    return this.#count;
  }

  /** The bytes of entries in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Records a message whose last entry is `index`. Indexes must not fall. The last message may take the
   * window past its limit of bytes.
   */
  add(index: Index, bytes: number): void {
    assert(!this.full(), "no message is added to a full inflights window");
    if (this.#count === this.#indexes.length) {
      this.#grow();
    }
    const slot = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[slot] = index;
    this.#sizes[slot] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees every message whose last entry is at or below `to`. */
  freeUpTo(to: Index): void {
    const capacity = this.#indexes.length;
    while (this.#count > 0 && (this.#indexes[this.#start] ?? 0) <= to) {
      this.#bytes -= this.#sizes[this.#start] ?? 0;
      this.#start = (this.#start + 1) % capacity;
      this.#count--;
    }
    if (this.#count === 0) {
      this.#start = 0;
    }
  }

  full(): boolean {
    return this.#count >= this.maxMessages || (this.maxBytes !== 0 && this.#bytes >= this.maxBytes);
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  /** Doubles the ring, up to `maxMessages`, with the oldest message first. */
  #grow(): void {
    const capacity = this.#indexes.length;
    const wanted = Math.min(Math.max(capacity * 2, 1), this.maxMessages);
    const indexes: Index[] = [];
    const sizes: number[] = [];
    for (let position = 0; position < wanted; position++) {
      const slot = (this.#start + position) % Math.max(capacity, 1);
      const used = position < this.#count;
      indexes.push(used ? (this.#indexes[slot] ?? (0 as Index)) : (0 as Index));
      sizes.push(used ? (this.#sizes[slot] ?? 0) : 0);
    }
    this.#start = 0;
    this.#indexes = indexes;
    this.#sizes = sizes;
  }
}

import { KiB, MiB, assert } from "@flaredb/rdb-base";

/** Bounds of one {@link BatchWriter}. */
export interface BatchWriterLimits {
  /** Most items that wait. */
  readonly queueMaxCount: number;
  /** Most bytes that wait; one item is always taken when nothing waits. */
  readonly queueMaxBytes: number;
  /** Most items of one frame. */
  readonly frameMaxCount: number;
  /** A frame is closed before the item that would take it past this; one item may be larger by itself. */
  readonly frameMaxBytes: number;
}

export const batchWriterLimits: BatchWriterLimits = {
  queueMaxCount: 100_000,
  queueMaxBytes: 64 * MiB,
  frameMaxCount: 4_096,
  frameMaxBytes: 512 * KiB,
};

export interface BatchWriterOptions<Item> {
  /** About how many bytes the item takes on the wire. Called once for each item, when it is pushed. */
  readonly sizeOf: (item: Item) => number;
  /**
   * Called at the moment at which the items are handed to the socket, and not before: until then they were
   * certainly not sent. Returns nothing when none of them is to be sent any more.
   */
  readonly encode: (items: readonly Item[]) => Uint8Array | undefined;
  /** Writes one frame; `written` is to be called, once and never before the return, when the next may follow. */
  readonly write: (frame: Uint8Array, written: () => void) => void;
  /** Calls back soon, in this turn of the event loop or right after it. */
  readonly schedule: (flush: () => void) => void;
  readonly limits?: Partial<BatchWriterLimits>;
}

/**
 * Groups items into frames without a timer: a frame holds whatever gathered while the last one was being written.
 * When none is, it is flushed at the end of the turn, so that what one turn makes travels together.
 */
export class BatchWriter<Item> {
  readonly #options: BatchWriterOptions<Item>;
  readonly #limits: BatchWriterLimits;
  #items: Item[] = [];
  #sizes: number[] = [];
  #queuedBytes = 0;
  /** Held, one frame being written, or a flush scheduled: each ends with a call of #flush. */
  #state: "held" | "idle" | "scheduled" | "writing" | "closed";
  #drained: (() => void) | undefined;
  readonly #flush = (): void => this.#writeFrame();
  readonly #written = (): void => this.#frameWritten();

  /** Begins held: nothing is encoded before {@link release}. */
  constructor(options: BatchWriterOptions<Item>) {
    this.#options = options;
    this.#limits = { ...batchWriterLimits, ...options.limits };
    this.#state = "held";
  }

  /** Items that wait and were not encoded. */
  get queuedCount(): number {
    return this.#items.length;
  }

  /** About how many bytes wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** @returns whether the item was taken; not when the queue is full or the writer is closed */
  push(item: Item): boolean {
    if (this.#state === "closed" || this.#drained !== undefined) {
      return false;
    }
    const sizeBytes = this.#options.sizeOf(item);
    const { queueMaxCount, queueMaxBytes } = this.#limits;
    if (
      this.#items.length > 0 &&
      (this.#items.length >= queueMaxCount || this.#queuedBytes + sizeBytes > queueMaxBytes)
    ) {
      return false;
    }
    this.#items.push(item);
    this.#sizes.push(sizeBytes);
    this.#queuedBytes += sizeBytes;
    if (this.#state === "idle") {
      this.#scheduleFlush();
    }
    return true;
  }

  /** The sink is there: begins to write. */
  release(): void {
    if (this.#state === "held") {
      this.#state = "idle";
      this.#continue();
    }
  }

  /** Takes no more and calls back once everything that waits was written. Not called after {@link close}. */
  drain(drained: () => void): void {
    if (this.#state === "closed" || this.#drained !== undefined) {
      return;
    }
    this.#drained = drained;
    if (this.#state === "idle") {
      this.#continue();
    }
  }

  /** Takes and writes no more. Returns what was never encoded. */
  close(): Item[] {
    this.#state = "closed";
    const unsent = this.#items;
    this.#items = [];
    this.#sizes = [];
    this.#queuedBytes = 0;
    this.#drained = undefined;
    return unsent;
  }

  #scheduleFlush(): void {
    this.#state = "scheduled";
    this.#options.schedule(this.#flush);
  }

  #frameWritten(): void {
    if (this.#state === "writing") {
      this.#state = "idle";
      this.#continue();
    }
  }

  #continue(): void {
    if (this.#items.length > 0) {
      this.#state = "scheduled";
      this.#writeFrame();
      return;
    }
    if (this.#drained !== undefined) {
      const drained = this.#drained;
      this.close();
      drained();
    }
  }

  #writeFrame(): void {
    if (this.#state !== "scheduled") {
      // Closed in the meantime.
      return;
    }
    const frame = this.#options.encode(this.#takeFrame());
    this.#state = "writing";
    if (frame === undefined) {
      this.#frameWritten();
      return;
    }
    this.#options.write(frame, this.#written);
  }

  #takeFrame(): Item[] {
    const { frameMaxCount, frameMaxBytes } = this.#limits;
    const items = this.#items;
    assert(items.length > 0, "a flush finds items");
    if (items.length <= frameMaxCount && this.#queuedBytes <= frameMaxBytes) {
      this.#items = [];
      this.#sizes = [];
      this.#queuedBytes = 0;
      return items;
    }
    let count = 0;
    let bytes = 0;
    while (count < items.length && count < frameMaxCount) {
      const sizeBytes = this.#sizes[count] as number;
      if (count > 0 && bytes + sizeBytes > frameMaxBytes) {
        break;
      }
      bytes += sizeBytes;
      count++;
    }
    this.#queuedBytes -= bytes;
    this.#sizes.splice(0, count);
    return items.splice(0, count);
  }
}

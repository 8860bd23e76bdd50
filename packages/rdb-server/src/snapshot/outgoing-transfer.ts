import { MiB, assert } from "@flaredb/rdb-base";
import { type SnapshotChunk, SnapshotChunkWriter } from "@flaredb/rdb-storage";
import type { OutgoingSnapshot } from "../store/ports.ts";

/**
 * Chunks that were sent and can be sent again. More than an HTTP/2 stream holds (8 MiB), as that is what may be on its
 * way when it breaks.
 */
const KEPT_MAX_BYTES = 12 * MiB;

/**
 * A snapshot on its way to another Store, over one or more streams. Its cursors only go forward, so what may have got
 * lost on the way is kept for a while.
 */
export class OutgoingTransfer {
  readonly outgoing: OutgoingSnapshot;
  /** Tells it from every other transfer of this run of the Store. */
  readonly number: number;
  readonly startedMs: number;
  /** Another one goes to the same peer: nobody wants to know how this one ends. */
  isSuperseded = false;
  /** Since when it gets no further; undefined while it does. */
  #stuckSinceMs: number | undefined;
  readonly #writer: SnapshotChunkWriter;
  /** The last chunks that were read from the cursors, without gaps. */
  #kept: SnapshotChunk[] = [];
  #keptBytes = 0;
  /** Place in `#kept` of the chunk that goes next; its length when the cursors have that. */
  #place = 0;
  /** Most that the receiver was known to have. */
  #receivedCount = 0;
  /** The read of the cursors under way: one at a time, also when its stream is gone. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(
    outgoing: OutgoingSnapshot,
    options: { readonly number: number; readonly startedMs: number; readonly chunkMaxBytes: number },
  ) {
    this.outgoing = outgoing;
    this.number = options.number;
    this.startedMs = options.startedMs;
    this.#writer = new SnapshotChunkWriter(outgoing.cursors, options.chunkMaxBytes);
  }

  /** Whether anything of it was sent. */
  get hasBegun(): boolean {
    return this.#writer.sizeBytes > 0 || this.#kept.length > 0;
  }

  /** The bytes of all chunks so far. */
  get sizeBytes(): number {
    return this.#writer.sizeBytes;
  }

  /** It could not go on at this moment. @returns since when it gets no further */
  stuck(nowMs: number): number {
    this.#stuckSinceMs ??= nowMs;
    return this.#stuckSinceMs;
  }

  /**
   * Goes on with the chunk that the receiver wants, once nobody reads for an earlier stream any more.
   *
   * @returns false when that chunk is not kept any more
   */
  async goOnAt(index: number): Promise<boolean> {
    await this.#reading.catch(() => {
      // Whoever reads next is told again.
    });
    if (index > this.#receivedCount) {
      this.#receivedCount = index;
      this.#stuckSinceMs = undefined;
    }
    const place = index - (this.#kept[0]?.index ?? 0);
    if (place < 0 || place > this.#kept.length) {
      return false;
    }
    this.#place = place;
    return true;
  }

  /** The next chunk; undefined after the last. @throws RdbError RDB_DATA_CORRUPT when a row cannot be read */
  async next(): Promise<SnapshotChunk | undefined> {
    const kept = this.#kept[this.#place];
    if (kept !== undefined) {
      this.#place++;
      return kept;
    }
    const reading = this.#writer.next();
    this.#reading = reading;
    const chunk = await reading;
    if (chunk !== undefined) {
      this.#keep(chunk);
    }
    return chunk;
  }

  /** Frees the cursors. */
  close(): void {
    this.#writer.close();
    this.#kept = [];
  }

  #keep(chunk: SnapshotChunk): void {
    assert(this.#place === this.#kept.length, "the cursors are read when all that was kept has been sent");
    this.#kept.push(chunk);
    this.#keptBytes += chunk.data.length;
    while (this.#keptBytes > KEPT_MAX_BYTES && this.#kept.length > 1) {
      this.#keptBytes -= this.#kept.shift()?.data.length ?? 0;
    }
    this.#place = this.#kept.length;
  }
}

import { MiB, type Region, compareKeys } from "@flaredb/rdb-base";
import { type Engine, decodeValue } from "@flaredb/rdb-storage";

/**
 * A count reads every row, so it is made anew when twice the size was put since; of small Regions at least this much, of
 * large ones no more than that: a size is told as that much too large, at most.
 */
const RECOUNT_SIZES = 2;
const RECOUNT_MIN_BYTES = 16 * MiB;
const RECOUNT_MAX_BYTES = 64 * MiB;
/** Where a count found less than a limit, so much of the limit is put before the limit may have been reached again. */
const REACHED_PART = 1 / 8;
/** One step of a count. */
const SLICE_MAX_COUNT = 1_000;
const SLICE_MAX_BYTES = 1 * MiB;

/** What a Region holds, about. */
export interface RegionSize {
  readonly bytes: number;
  readonly keys: number;
}

/** What a size is kept of. */
export interface SizeKeeperOwner {
  readonly engine: Engine;
  /** Undefined: the peer stopped. */
  region(): Region | undefined;
  /** What puts added since the peer started. */
  addedBytes(): number;
}

/**
 * A Region's approximate size: the bytes that puts added, which is too much where they replaced or deleted, set right
 * now and then by counting the rows in small slices (the database has no estimate of its own; DESIGN §3).
 */
export class SizeKeeper {
  readonly #owner: SizeKeeperOwner;
  #countedBytes = 0;
  #countedKeys = 0;
  /** `addedBytes` when the rows were counted; undefined before the first time. */
  #addedAtCount: number | undefined;
  /** The count is a guess, of a split: the rows are to be counted soon. */
  #isGuess = false;
  #counting = false;

  /** @param guess what is known of the size without a count */
  constructor(owner: SizeKeeperOwner, guess?: RegionSize) {
    this.#owner = owner;
    if (guess !== undefined) {
      this.#guess(guess, 0);
    }
  }

  /** Keys at the last count. */
  get keyCount(): number {
    return this.#countedKeys;
  }

  /** What the Region holds, about. */
  get bytes(): number {
    return this.#countedBytes + this.#owner.addedBytes() - (this.#addedAtCount ?? 0);
  }

  /** Whether the size was never counted, or so much changed that it should be counted again. */
  get wantsCount(): boolean {
    if (this.#counting) {
      return false;
    }
    if (this.#addedAtCount === undefined || this.#isGuess) {
      return true;
    }
    const since = this.#owner.addedBytes() - this.#addedAtCount;
    const enough = Math.max(RECOUNT_MIN_BYTES, this.#countedBytes * RECOUNT_SIZES);
    return since >= Math.min(RECOUNT_MAX_BYTES, enough);
  }

  /**
   * Whether the Region may hold so much, which a walk over its rows would tell. Not at once after one that told that it
   * does not: rows that are replaced would have a Region that is nearly as large walked again and again.
   */
  mayHaveReached(limitBytes: number): boolean {
    const since = this.#owner.addedBytes() - (this.#addedAtCount ?? 0);
    return (
      this.bytes >= limitBytes && (this.#countedBytes >= limitBytes || since >= limitBytes * REACHED_PART)
    );
  }

  /** The Region was cut into so many parts. @returns the size of each, as long as none is counted */
  split(partCount: number): RegionSize {
    const part = { bytes: this.bytes / partCount, keys: this.#countedKeys / partCount };
    this.#guess(part, this.#owner.addedBytes());
    return part;
  }

  #guess({ bytes, keys }: RegionSize, addedBytes: number): void {
    this.#countedBytes = bytes;
    this.#countedKeys = keys;
    this.#addedAtCount = addedBytes;
    this.#isGuess = true;
  }

  /** The content was replaced. */
  forget(): void {
    this.#addedAtCount = undefined;
  }

  /** The rows are being counted by somebody else. @returns takes what was found; to be called only then */
  beginCount(): (found: RegionSize) => void {
    const addedBytes = this.#owner.addedBytes();
    return ({ bytes, keys }) => {
      this.#countedBytes = bytes;
      this.#countedKeys = keys;
      this.#addedAtCount = addedBytes;
      this.#isGuess = false;
    };
  }

  /**
   * Counts the rows as they are now, in slices, off the loop. Resolves when it is done or the peer stopped; a count whose
   * Region changed meanwhile is dropped.
   */
  async count(): Promise<void> {
    const counted = this.#owner.region();
    if (counted === undefined) {
      return;
    }
    this.#counting = true;
    const finish = this.beginCount();
    const cursor = this.#owner.engine.openCursor("data", counted);
    try {
      let bytes = 0;
      let keys = 0;
      for (let done = false; !done; ) {
        const slice = await cursor.next(SLICE_MAX_COUNT, SLICE_MAX_BYTES);
        done = slice.done;
        keys += slice.rows.length;
        bytes += slice.rows.reduce(
          (sum, row) => sum + row.key.length + decodeValue(row.value).value.length,
          0,
        );
        if (!sameRange(this.#owner.region(), counted)) {
          return;
        }
      }
      finish({ bytes, keys });
    } finally {
      this.#counting = false;
      cursor.close();
    }
  }
}

function sameRange(now: Region | undefined, counted: Region): boolean {
  return (
    now !== undefined &&
    compareKeys(now.startKey, counted.startKey) === 0 &&
    compareKeys(now.endKey, counted.endKey) === 0
  );
}

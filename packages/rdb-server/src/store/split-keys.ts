import { type KeyRange, MiB, compareKeys } from "@flaredb/rdb-base";
import { type Engine, decodeValue } from "@flaredb/rdb-storage";

/** One step of a walk. */
const SLICE_MAX_COUNT = 1_000;
const SLICE_MAX_BYTES = 1 * MiB;
/** Keys that are remembered on the way: a cut is at most so small a part of the range away from where it was wanted. */
const MARK_MAX_COUNT = 1_024;

/** A key before which so many bytes of rows lie. */
interface Mark {
  readonly key: Uint8Array;
  readonly bytesBefore: number;
}

/** The rows of a range, walked once. */
export interface WalkedRange {
  /** Keys and values. */
  readonly bytes: number;
  readonly keys: number;
  /** Existing keys at which the range can be cut, rising, about evenly spaced; none of them is its first. */
  readonly marks: readonly Mark[];
}

/**
 * Walks the rows of a range in slices, off the loop.
 *
 * @param isOver asked after each slice: whether nobody wants to know any more
 * @returns undefined when it was over
 */
export async function walkRange(
  engine: Engine,
  range: KeyRange,
  isOver: () => boolean,
): Promise<WalkedRange | undefined> {
  const cursor = engine.openCursor("data", range);
  const marks = new Marks();
  let bytes = 0;
  let keys = 0;
  try {
    for (let done = false; !done; ) {
      const slice = await cursor.next(SLICE_MAX_COUNT, SLICE_MAX_BYTES);
      if (isOver()) {
        return undefined;
      }
      done = slice.done;
      for (const { key, value } of slice.rows) {
        if (keys > 0 && compareKeys(key, range.startKey) > 0) {
          marks.offer(key, bytes);
        }
        keys++;
        bytes += key.length + decodeValue(value).value.length;
      }
    }
  } finally {
    cursor.close();
  }
  return { bytes, keys, marks: marks.kept };
}

/** @returns keys that cut the rows into parts of about equal size: at most `partCount - 1`, none when there is one key */
export function evenSplitKeys({ bytes, marks }: WalkedRange, partCount: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  let from = 0;
  for (let part = 1; part < partCount && from < marks.length; part++) {
    const wanted = (bytes * part) / partCount;
    let best = from;
    while (best + 1 < marks.length && distance(marks, best + 1, wanted) <= distance(marks, best, wanted)) {
      best++;
    }
    keys.push((marks[best] as Mark).key);
    from = best + 1;
  }
  return keys;
}

function distance(marks: readonly Mark[], place: number, wanted: number): number {
  return Math.abs((marks[place] as Mark).bytesBefore - wanted);
}

/** Keeps some of the keys that come: every one at first, then every second, every fourth, ... of those that came. */
class Marks {
  kept: Mark[] = [];
  #offered = 0;
  #stride = 1;

  offer(key: Uint8Array, bytesBefore: number): void {
    if (this.#offered++ % this.#stride !== 0) {
      return;
    }
    if (this.kept.length === MARK_MAX_COUNT) {
      this.kept = this.kept.filter((_, place) => place % 2 === 0);
      this.#stride *= 2;
      if ((this.#offered - 1) % this.#stride !== 0) {
        return;
      }
    }
    // The engine's bytes are only lent.
    this.kept.push({ key: key.slice(), bytesBefore });
  }
}

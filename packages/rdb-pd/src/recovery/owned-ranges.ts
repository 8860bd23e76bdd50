import { FULL_RANGE, type KeyRange, compareEndKeys, compareKeys, rangesOutside } from "@flaredb/rdb-base";

/** Key ranges that were given out, each key once: first come, first served. */
export class OwnedRanges {
  /** In the order of the keys; no two overlap. */
  readonly #ranges: KeyRange[] = [];

  /** Gives out what is still free of the range. @returns that, in the order of the keys */
  take(range: KeyRange): readonly KeyRange[] {
    const free = this.#freeOf(range);
    for (const part of free) {
      this.#ranges.splice(this.#countBefore(part.startKey), 0, part);
    }
    return free;
  }

  /** What nobody was given, in the order of the keys. */
  free(): readonly KeyRange[] {
    return this.#freeOf(FULL_RANGE);
  }

  #freeOf(range: KeyRange): readonly KeyRange[] {
    const free: KeyRange[] = [];
    let rest: KeyRange | undefined = range;
    for (let at = Math.max(0, this.#countBefore(range.startKey) - 1); rest !== undefined; at++) {
      const owned: KeyRange | undefined = this.#ranges[at];
      if (owned === undefined || beginsAfter(owned, rest)) {
        free.push(rest);
        break;
      }
      const isBefore = (part: KeyRange): boolean => compareKeys(part.startKey, owned.startKey) < 0;
      const outside: readonly KeyRange[] = rangesOutside(rest, owned);
      free.push(...outside.filter(isBefore));
      rest = outside.find((part) => !isBefore(part));
    }
    return free;
  }

  /** How many begin at or before the key. */
  #countBefore(key: Uint8Array): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys((this.#ranges[middle] as KeyRange).startKey, key) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

function beginsAfter(a: KeyRange, b: KeyRange): boolean {
  return b.endKey.length > 0 && compareKeys(a.startKey, b.endKey) >= 0;
}

/** Ranges, which may overlap, to be searched by others. */
export class RangeIndex<T extends KeyRange> {
  readonly #sorted: readonly T[];
  /** Of each and all before it, who ends last. */
  readonly #furthest: KeyRange[] = [];

  constructor(ranges: readonly T[]) {
    this.#sorted = ranges.toSorted((a, b) => compareKeys(a.startKey, b.startKey));
    for (const range of this.#sorted) {
      const last = this.#furthest.at(-1);
      this.#furthest.push(last === undefined || compareEndKeys(last.endKey, range.endKey) < 0 ? range : last);
    }
  }

  /** Those that share keys with the range. */
  overlapping(range: KeyRange): T[] {
    const found: T[] = [];
    for (let at = this.#countBefore(range) - 1; at >= 0; at--) {
      const furthest = this.#furthest[at] as KeyRange;
      if (furthest.endKey.length > 0 && compareKeys(furthest.endKey, range.startKey) <= 0) {
        break;
      }
      const each = this.#sorted[at] as T;
      if (each.endKey.length === 0 || compareKeys(each.endKey, range.startKey) > 0) {
        found.push(each);
      }
    }
    return found;
  }

  /** How many begin before the range ends. */
  #countBefore(range: KeyRange): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (beginsAfter(this.#sorted[middle] as T, range)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}

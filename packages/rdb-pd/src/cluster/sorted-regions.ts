import { type Region, assert, compareKeys } from "@flaredb/rdb-base";

/** A chunk that grows past this is cut in two: moving so many places costs about as much as finding the chunk. */
const CHUNK_MAX_COUNT = 512;

/** A place in the order; behind the last Region when there is none at it. */
export interface Place {
  readonly chunk: number;
  readonly at: number;
}

/**
 * Regions that do not overlap, in the order of their keys, in chunks: to add or take one out moves its chunk's Regions
 * only, however many there are.
 */
export class SortedRegions {
  /** Invariant: none is empty, and each is below the next. */
  readonly #chunks: Region[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Of the first Region for which `reached` holds; it holds for all behind it. */
  find(reached: (region: Region) => boolean): Place {
    const chunk = firstAt(this.#chunks.length, (at) => reached(this.#chunks[at]?.at(-1) as Region));
    const regions = this.#chunks[chunk];
    const at =
      regions === undefined ? 0 : firstAt(regions.length, (each) => reached(regions[each] as Region));
    return { chunk, at };
  }

  get({ chunk, at }: Place): Region | undefined {
    return this.#chunks[chunk]?.[at];
  }

  before({ chunk, at }: Place): Region | undefined {
    return at > 0 ? this.#chunks[chunk]?.[at - 1] : this.#chunks[chunk - 1]?.at(-1);
  }

  last(): Region | undefined {
    return this.#chunks.at(-1)?.at(-1);
  }

  /** From the place on, in order. Not to be changed meanwhile. */
  *from({ chunk, at }: Place): Generator<Region> {
    for (let each = chunk; each < this.#chunks.length; each++) {
      const regions = this.#chunks[each] as Region[];
      for (let place = each === chunk ? at : 0; place < regions.length; place++) {
        yield regions[place] as Region;
      }
    }
  }

  all(): Region[] {
    return this.#chunks.flat();
  }

  /** It overlaps none of them. */
  add(region: Region): void {
    const place = this.#placeOf(region);
    this.#size += 1;
    // Behind the last one of all: to the end of the last chunk.
    const isBehindAll = place.chunk === this.#chunks.length;
    const chunk = isBehindAll ? Math.max(0, place.chunk - 1) : place.chunk;
    const regions = this.#chunks[chunk];
    if (regions === undefined) {
      this.#chunks.push([region]);
      return;
    }
    regions.splice(isBehindAll ? regions.length : place.at, 0, region);
    if (regions.length > CHUNK_MAX_COUNT) {
      // Keys that come in order fill chunks up; others leave room on both sides.
      const cut = isBehindAll ? CHUNK_MAX_COUNT : regions.length >>> 1;
      this.#chunks.splice(chunk + 1, 0, regions.splice(cut));
    }
  }

  /** It is there. */
  remove(region: Region): void {
    const { chunk, at } = this.#placeOf(region);
    const regions = this.#chunks[chunk];
    assert(regions?.[at]?.id === region.id, "the region to remove is where its key says");
    regions.splice(at, 1);
    this.#size -= 1;
    if (regions.length === 0) {
      this.#chunks.splice(chunk, 1);
    }
  }

  /** Takes the place of one with the same start key that overlaps no other one either. */
  replace(known: Region, region: Region): void {
    const { chunk, at } = this.#placeOf(known);
    const regions = this.#chunks[chunk];
    assert(regions?.[at]?.id === known.id, "the region to replace is where its key says");
    regions[at] = region;
  }

  #placeOf({ startKey }: Region): Place {
    return this.find((each) => compareKeys(each.startKey, startKey) >= 0);
  }
}

/** The first of `count` places that is reached; `count` when none is. */
function firstAt(count: number, reached: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reached(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

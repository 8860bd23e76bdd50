import { index, regionId, term } from "@flaredb/rdb-base";
import type { Entry } from "@flaredb/rdb-raft";
import { describe, expect, it } from "vitest";
import { EntryCache } from "./entry-cache.ts";

const R1 = regionId(1);
const R2 = regionId(2);
const entry = (position: number, bytes = 100): Entry => ({
  index: index(position),
  term: term(1),
  type: "Normal",
  data: new Uint8Array(bytes),
});
const cached = (cache: EntryCache, region: typeof R1, high: number): number[] =>
  Array.from({ length: high }, (_, i) => i + 1).filter((i) => cache.get(region, index(i)) !== undefined);

describe("EntryCache", () => {
  it("drops the oldest entries of the Region that was appended to longest ago", () => {
    const cache = new EntryCache(8 * 200);
    cache.append(R1, [entry(1), entry(2), entry(3), entry(4)]);
    cache.append(R2, [entry(1), entry(2), entry(3), entry(4)]);
    expect(cached(cache, R1, 5)).toEqual([1, 2, 3, 4]);
    cache.append(R2, [entry(5)]);
    expect(cached(cache, R1, 5)).toEqual([2, 3, 4]);
    expect(cached(cache, R2, 5)).toEqual([1, 2, 3, 4, 5]);
    cache.append(R1, [entry(5)]);
    expect(cached(cache, R1, 5)).toEqual([2, 3, 4, 5]);
    expect(cached(cache, R2, 5)).toEqual([3, 4, 5]);
  });

  it("keeps nothing that is larger than its bound", () => {
    const cache = new EntryCache(150);
    cache.append(R1, [entry(1, 40), entry(2, 400)]);
    expect(cached(cache, R1, 3)).toEqual([]);
    expect(cache.sizeBytes).toBe(0);
  });

  it("begins anew after a gap, and forgets what is replaced", () => {
    const cache = new EntryCache(10_000);
    cache.append(R1, [entry(1), entry(2), entry(3)]);
    cache.append(R1, [entry(2)]);
    expect(cached(cache, R1, 4)).toEqual([1, 2]);
    cache.append(R1, [entry(9)]);
    expect(cached(cache, R1, 10)).toEqual([9]);
    cache.compactTo(R1, index(9));
    expect(cached(cache, R1, 10)).toEqual([]);
    cache.append(R1, [entry(10)]);
    cache.forget(R1);
    expect(cache.sizeBytes).toBe(0);
  });
});

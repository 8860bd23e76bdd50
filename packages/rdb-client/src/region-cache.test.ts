import { type Region, compareKeys, keyInRange, peerId, regionId, storeId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RegionCache } from "./region-cache.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function region(id: number, start: string, end: string, version = 1, confVer = 1): Region {
  return {
    id: regionId(id),
    startKey: utf8(start),
    endKey: utf8(end),
    epoch: { version, confVer },
    peers: [1, 2, 3].map((store) => ({
      id: peerId(id * 10 + store),
      storeId: storeId(store),
      role: "Voter",
    })),
  };
}

describe("RegionCache", () => {
  test("finds the Region of a key, and the one before a key", () => {
    const cache = new RegionCache();
    cache.insert(region(1, "", "h"));
    cache.insert(region(3, "p", ""));
    cache.insert(region(2, "h", "p"));
    expect(["a", "h", "o", "p", "zz"].map((key) => cache.find(utf8(key))?.region.id)).toEqual([
      1, 2, 2, 3, 3,
    ]);
    expect(["", "h", "i", "p", "a"].map((key) => cache.findBefore(utf8(key))?.region.id)).toEqual([
      3, 1, 2, 2, 1,
    ]);
  });

  test("does not find what it does not know", () => {
    const cache = new RegionCache();
    expect(cache.find(utf8("a"))).toBeUndefined();
    expect(cache.findBefore(utf8(""))).toBeUndefined();
    cache.insert(region(2, "h", "p"));
    expect(cache.find(utf8("a"))).toBeUndefined();
    expect(cache.find(utf8("p"))).toBeUndefined();
    expect(cache.findBefore(utf8(""))).toBeUndefined();
    expect(cache.findBefore(utf8("h"))).toBeUndefined();
    expect(cache.findBefore(utf8("q"))).toBeUndefined();
    expect(cache.findBefore(utf8("p"))?.region.id).toBe(2);
  });

  test("newer Regions push out the older ones that they overlap, and older ones are not taken", () => {
    const cache = new RegionCache();
    const parent = region(1, "", "");
    cache.insert(parent);
    expect(cache.insert(region(2, "m", "", 2))).toBe(true);
    expect(cache.find(utf8("a"))).toBeUndefined();
    expect(cache.insert(region(1, "", "m", 2))).toBe(true);
    expect(cache.insert(parent)).toBe(false);
    expect(cache.find(utf8("z"))?.region.id).toBe(2);
    expect(cache.size).toBe(2);
  });

  test("keeps a leader across a new epoch as long as it is a peer", () => {
    const cache = new RegionCache();
    const old = region(1, "", "");
    cache.insert(old, old.peers[1]);
    cache.insert(region(1, "", "", 1, 2));
    expect(cache.byId(regionId(1))?.leader?.storeId).toBe(2);
    const without = { ...region(1, "", "", 1, 3), peers: old.peers.filter((peer) => peer.storeId !== 2) };
    cache.insert(without);
    expect(cache.byId(regionId(1))?.leader).toBeUndefined();
    expect(cache.setLeader(regionId(1), old.peers[1])).toBe(false);
    expect(cache.setLeader(regionId(1), old.peers[2])).toBe(true);
    expect(cache.setLeader(regionId(1), old.peers[2])).toBe(false);
  });

  test("is bounded: the one remembered first goes", () => {
    const cache = new RegionCache({ maxCount: 2 });
    cache.insert(region(1, "", "h"));
    cache.insert(region(2, "h", "p"));
    cache.insert(region(3, "p", ""));
    expect(cache.size).toBe(2);
    expect(cache.find(utf8("a"))).toBeUndefined();
    expect(cache.find(utf8("z"))?.region.id).toBe(3);
  });

  test("invalidate forgets one Region only", () => {
    const cache = new RegionCache();
    cache.insert(region(1, "", "h"));
    cache.insert(region(2, "h", ""));
    cache.invalidate(regionId(1));
    expect(cache.find(utf8("a"))).toBeUndefined();
    expect(cache.find(utf8("i"))?.region.id).toBe(2);
  });

  test("property: whatever is inserted, Regions never overlap, and find agrees with a plain search", () => {
    const key = fc.uint8Array({ maxLength: 2 });
    const arbitrary = fc.array(
      fc.record({
        id: fc.integer({ min: 1, max: 6 }),
        a: key,
        b: key,
        version: fc.integer({ min: 1, max: 4 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(arbitrary, fc.array(key, { minLength: 1, maxLength: 20 }), (inserts, probes) => {
        const cache = new RegionCache({ maxCount: 4 });
        const inserted: Region[] = [];
        for (const { id, a, b, version } of inserts) {
          const [startKey, endKey] = compareKeys(a, b) <= 0 ? [a, b] : [b, a];
          if (endKey.length > 0 && compareKeys(startKey, endKey) === 0) {
            continue;
          }
          const candidate = { ...region(id, "", "", version), startKey, endKey };
          cache.insert(candidate);
          inserted.push(candidate);
        }
        const kept = inserted.filter((candidate) => cache.byId(candidate.id)?.region === candidate);
        expect(kept).toHaveLength(cache.size);
        for (const probe of probes) {
          const holders = kept.filter((candidate) => keyInRange(probe, candidate));
          expect(holders.length).toBeLessThanOrEqual(1);
          expect(cache.find(probe)?.region).toBe(holders[0]);
          const before = kept.filter(
            (candidate) =>
              compareKeys(candidate.startKey, probe) < 0 &&
              (candidate.endKey.length === 0 || compareKeys(probe, candidate.endKey) <= 0),
          );
          if (probe.length > 0) {
            expect(cache.findBefore(probe)?.region).toBe(before[0]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

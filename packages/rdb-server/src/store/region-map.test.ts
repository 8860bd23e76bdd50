import { type KeyRange, type Region, rangesOverlap, regionId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Peer } from "../peer/peer.ts";
import { RegionMap } from "./region-map.ts";

/** Keys of one byte; the last position has no end. */
const KEY_COUNT = 20;

function rangeOf(start: number, end: number): KeyRange {
  const key = (at: number): Uint8Array =>
    at === 0 || at === KEY_COUNT ? new Uint8Array() : Uint8Array.of(at);
  return { startKey: key(start), endKey: key(end) };
}

/** As much of a peer as the map looks at. */
function peerWith(id: number, range: KeyRange, arriving?: Region): Peer {
  const region = { id: regionId(id), ...range, epoch: { confVer: 1, version: 1 }, peers: [] };
  const claims = arriving === undefined ? [region] : [region, arriving];
  return { regionId: region.id, region, isInitialised: true, arriving, claims } as unknown as Peer;
}

const someRange = fc
  .uniqueArray(fc.integer({ min: 0, max: KEY_COUNT }), { minLength: 2, maxLength: 2 })
  .map(([a, b]) => rangeOf(Math.min(a as number, b as number), Math.max(a as number, b as number)));

describe("RegionMap", () => {
  it("finds what overlaps and who has a key, in whatever order peers come and go", () => {
    const scene = fc.record({
      cuts: fc.uniqueArray(fc.integer({ min: 1, max: KEY_COUNT - 1 }), { maxLength: 8 }),
      order: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
      removed: fc.nat(8),
      asked: fc.array(someRange, { minLength: 9, maxLength: 9 }),
    });
    fc.assert(
      fc.property(scene, ({ cuts, order, removed, asked }) => {
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), KEY_COUNT];
        const peers = bounds
          .slice(1)
          .map((end, at) => peerWith(at + 1, rangeOf(bounds[at] as number, end)))
          .toSorted((a, b) => (order[a.regionId - 1] as number) - (order[b.regionId - 1] as number));
        const map = new RegionMap();
        const present: Peer[] = [];
        const check = (range: KeyRange): void => {
          const expected = present.filter((peer) => rangesOverlap(peer.region, range));
          expect(map.overlapping(range) !== undefined).toBe(expected.length > 0);
          expect(map.overlapping(range, ...expected.map((peer) => peer.regionId))).toBeUndefined();
          const holder = present.find((peer) =>
            rangesOverlap(peer.region, {
              startKey: range.startKey,
              endKey: Uint8Array.of(...range.startKey, 0),
            }),
          );
          expect(map.ofKey(range.startKey)).toBe(holder);
        };
        for (const [at, peer] of peers.entries()) {
          map.add(peer);
          present.push(peer);
          check(asked[at] as KeyRange);
        }
        const gone = present.splice(removed % present.length, 1)[0] as Peer;
        map.remove(gone.regionId);
        asked.forEach(check);
      }),
    );
  });

  it("counts a snapshot that is being installed as what its peer has", () => {
    const map = new RegionMap();
    const arriving = peerWith(1, rangeOf(3, 9)).region;
    map.add(peerWith(1, rangeOf(3, 5), arriving));
    expect(map.overlapping(rangeOf(6, 7))).toBe(arriving);
    expect(map.overlapping(rangeOf(6, 7), regionId(1))).toBeUndefined();
  });
});

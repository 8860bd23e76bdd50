import { type Region, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { rangesFromSplitKeys } from "../cluster/initial-regions.ts";
import { key } from "../testing/regions.ts";
import { initialIdCount, placeInitialRegions } from "./initial-placement.ts";

function place(splitKeys: readonly string[], storeCount: number, replicaCount: number): Region[] {
  return placeInitialRegions({
    ranges: rangesFromSplitKeys(splitKeys.map(key)),
    storeIds: Array.from({ length: storeCount }, (_, at) => storeId(at + 1)),
    replicaCount,
    firstId: 1,
  });
}

function counts(ids: readonly number[]): number[] {
  const byId = new Map<number, number>();
  for (const id of ids) {
    byId.set(id, (byId.get(id) ?? 0) + 1);
  }
  return [...byId.values()];
}

describe("SPEC-M1: placement of the initial Regions", () => {
  test("two Regions on three Stores: three peers each, led from different Stores", () => {
    const regions = place(["m"], 3, 3);
    expect(regions.map((region) => region.id)).toEqual([1, 2]);
    expect(regions.map((region) => region.peers.map((peer) => [peer.id, peer.storeId]))).toEqual([
      [
        [3, 1],
        [4, 2],
        [5, 3],
      ],
      [
        [6, 2],
        [7, 3],
        [8, 1],
      ],
    ]);
    expect(regions.every((region) => region.epoch.version === 1 && region.epoch.confVer === 1)).toBe(true);
  });

  test.each([
    [1, 3, 1],
    [2, 3, 2],
    [3, 3, 3],
    [5, 3, 3],
    [5, 5, 5],
    [4, 1, 1],
  ])("%i Stores, %i replicas: %i peers a Region, each on a Store of its own", (stores, replicas, peers) => {
    for (const region of place(["b", "c", "d"], stores, replicas)) {
      expect(region.peers).toHaveLength(peers);
      expect(new Set(region.peers.map((peer) => peer.storeId)).size).toBe(peers);
    }
  });

  test("ids are all different, as many as were asked for", () => {
    const regions = place(["b", "c", "d", "e"], 4, 3);
    const ids = regions.flatMap((region) => [region.id, ...region.peers.map((peer) => peer.id)]);
    expect(new Set<number>(ids).size).toBe(ids.length);
    expect(ids.length).toBe(initialIdCount(5, 3, 4));
    expect(Math.max(...ids)).toBe(ids.length);
  });

  test("peers and first leaders are spread evenly", () => {
    const regions = place("bcdefghijkl".split(""), 4, 3);
    expect(counts(regions.flatMap((region) => region.peers.map((peer) => peer.storeId)))).toEqual([
      9, 9, 9, 9,
    ]);
    expect(counts(regions.map((region) => region.peers[0]?.storeId ?? 0))).toEqual([3, 3, 3, 3]);
  });
});

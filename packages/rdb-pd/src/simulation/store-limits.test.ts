import { GiB, MINUTE_MS, MiB, SECOND_MS, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import type { OwnStoreLimits } from "../placement/store-limits.ts";
import { ModelCluster } from "./model-cluster.ts";
import { regionSpread } from "./spread.ts";
import { addTiledRegions } from "./tiled-regions.ts";

const four = storeId(4);

/** Three Stores with all Regions, and a fourth that is new. */
async function fill(own: OwnStoreLimits): Promise<{ readonly tookMs: number; readonly mostAtOnce: number }> {
  const model = new ModelCluster({
    stores: Array.from({ length: 4 }, () => ({ capacityBytes: 100 * GiB })),
    config: { ownStoreLimits: new Map([[four, own]]) },
  });
  addTiledRegions(model, {
    regionCount: 60,
    storesOf: () => [1, 2, 3].map(storeId),
    sizeBytesOf: () => 64 * MiB,
  });
  let mostAtOnce = 0;
  const target = (60 * 3) / 4;
  while (model.cluster.index.of(four).regionCount < target * 0.9 && model.elapsedMs < 60 * MINUTE_MS) {
    await model.step();
    mostAtOnce = Math.max(mostAtOnce, model.controller.influence(four).addingCount);
  }
  const tookMs = model.elapsedMs;
  expect(await model.runUntilQuiet(60 * SECOND_MS, 60 * MINUTE_MS)).toBe(true);
  expect(regionSpread(model).deviation).toBeLessThan(0.1);
  return { tookMs, mostAtOnce };
}

describe("limits of one Store", () => {
  test("slow what comes to it, and all of it comes in the end", async () => {
    const [free, limited] = [await fill({}), await fill({ addLimit: 1 })];
    expect(free.mostAtOnce).toBeGreaterThan(5);
    expect(limited.mostAtOnce).toBe(1);
    expect(limited.tookMs).toBeGreaterThan(2 * free.tookMs);
  });
});

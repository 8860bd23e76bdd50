import { GiB, MINUTE_MS, MiB, SECOND_MS, regionId, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { NO_LOAD } from "../cluster/region-info.ts";
import { scatterPlan } from "../placement/rules.ts";
import { ModelCluster } from "./model-cluster.ts";
import { regionSpread, spreadOf } from "./spread.ts";
import { addTiledRegions } from "./tiled-regions.ts";

const stores = Array.from({ length: 6 }, () => ({ capacityBytes: 100 * GiB }));

/** 6 Stores, 60 Regions spread evenly. */
function evenCluster(): ModelCluster {
  const model = new ModelCluster({ stores });
  addTiledRegions(model, {
    regionCount: 60,
    storesOf: (at) => [0, 1, 2].map((next) => storeId(((at + next) % 6) + 1)),
    sizeBytesOf: () => 64 * MiB,
  });
  return model;
}

function rates(model: ModelCluster, rate: "readKeysPerSecond" | "writtenBytesPerSecond"): number[] {
  return model.view.stores().map(({ load }) => load[rate]);
}

describe("hot-region", () => {
  test("hot Regions that one Store leads are led by several in the end, and then rest", async () => {
    const model = evenCluster();
    // All led by Store 1.
    for (const at of [0, 6, 12, 18, 24, 30]) {
      model.stores.load(regionId(at + 1), { ...NO_LOAD, readKeysPerSecond: 10_000 });
    }
    model.view.refresh(model.now.monotonicMs);
    expect(Math.max(...rates(model, "readKeysPerSecond"))).toBe(60_000);
    await model.run(20 * MINUTE_MS);
    expect(Math.max(...rates(model, "readKeysPerSecond"))).toBeLessThanOrEqual(20_000);
    const changeCount = model.stores.changeCount;
    await model.run(10 * MINUTE_MS);
    expect(model.stores.changeCount).toBe(changeCount);
  });

  test("writes move away with the leader, also to Stores without a peer", async () => {
    const model = evenCluster();
    for (const at of [0, 6, 12, 18, 24, 30]) {
      model.stores.load(regionId(at + 1), { ...NO_LOAD, writtenBytesPerSecond: 8 * MiB });
    }
    await model.run(30 * MINUTE_MS);
    expect(spreadOf(rates(model, "writtenBytesPerSecond")).max).toBeLessThanOrEqual(16 * MiB);
    expect(regionSpread(model).deviation).toBeLessThan(0.1);
  });

  test("a single hot Region stays where it is, and explain says why", async () => {
    const model = evenCluster();
    model.stores.load(regionId(1), { ...NO_LOAD, readKeysPerSecond: 50_000 });
    await model.run(2 * MINUTE_MS);
    expect(model.stores.changeCount).toBe(0);
    const info = model.cluster.region(regionId(1));
    const said = info === undefined ? [] : model.coordinator.explain(info, model.now);
    expect(said.find(({ source }) => source === "hot-region")?.decision).toMatchObject({
      acts: false,
      summary: expect.stringMatching(/^its reads would be no better off elsewhere; .* 0 to 50000 keys\/s$/),
    });
  });
});

test("scattered Regions end on all Stores, evenly", async () => {
  const model = new ModelCluster({ stores, config: { regionLimit: 0, leaderLimit: 0 } });
  addTiledRegions(model, {
    regionCount: 40,
    storesOf: () => [1, 2, 3].map((id) => storeId(id)),
    sizeBytesOf: () => 64 * MiB,
  });
  await model.run(SECOND_MS);
  for (const region of model.durable.regions.all()) {
    const decision = scatterPlan(model.cluster.infoOf(region), model.view);
    if (decision.acts) {
      model.controller.add(decision.plan, model.now);
    }
  }
  expect(await model.runUntilQuiet(10 * SECOND_MS, 10 * MINUTE_MS)).toBe(true);
  expect(regionSpread(model)).toMatchObject({ min: 20, max: 20 });
  expect(spreadOf(model.view.stores().map(({ leaderCount }) => leaderCount)).max).toBeLessThanOrEqual(8);
});

import { GiB, MINUTE_MS, MiB, SECOND_MS, type StoreId, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import type { OperatorRecord } from "../operator/operator-record.ts";
import { ModelCluster } from "./model-cluster.ts";
import { leaderSpread, regionSpread } from "./spread.ts";
import { addTiledRegions } from "./tiled-regions.ts";

const store = { capacityBytes: 100 * GiB };

function stores(count: number): { capacityBytes: number }[] {
  return Array.from({ length: count }, () => store);
}

function ids(...values: number[]): StoreId[] {
  return values.map((value) => storeId(value));
}

describe("scenario 57: balance without flapping", () => {
  test("SPEC-M7: 4 Stores, 100 Regions of one peer on one of them, end spread evenly, and operators stop", async () => {
    const ended: OperatorRecord[] = [];
    const model = new ModelCluster({
      stores: stores(4),
      config: { replicas: 1 },
      recorded: (record) => ended.push(record),
    });
    addTiledRegions(model, { regionCount: 100, storesOf: () => ids(1), sizeBytesOf: () => 96 * MiB });
    expect(await model.runUntilQuiet(60 * SECOND_MS, 60 * MINUTE_MS)).toBe(true);
    expect(regionSpread(model).deviation).toBeLessThanOrEqual(1 / 25);
    expect(leaderSpread(model).deviation).toBeLessThanOrEqual(1 / 25);
    expectNoWayBack(ended);
  });

  test("SPEC-M7: 3 of 4 Stores have all peers of 100 Regions, one leads all: both end even, without a step back", async () => {
    const ended: OperatorRecord[] = [];
    const model = new ModelCluster({ stores: stores(4), recorded: (record) => ended.push(record) });
    addTiledRegions(model, {
      regionCount: 100,
      storesOf: () => ids(1, 2, 3),
      // Sizes differ, as they do.
      sizeBytesOf: (at) => (48 + (at % 7) * 8) * MiB,
    });
    expect(await model.runUntilQuiet(60 * SECOND_MS, 60 * MINUTE_MS)).toBe(true);
    expect(regionSpread(model).deviation).toBeLessThan(0.1);
    expect(leaderSpread(model).deviation).toBeLessThan(0.1);
    expectNoWayBack(ended.filter(({ origin }) => origin === "balance-region"));
  });

  test("an even cluster is left alone", async () => {
    const model = new ModelCluster({ stores: stores(4) });
    addTiledRegions(model, {
      regionCount: 120,
      storesOf: (at) => [0, 1, 2].map((next) => storeId(((at + next) % 4) + 1)),
      sizeBytesOf: () => 64 * MiB,
    });
    await model.run(2 * MINUTE_MS);
    expect(model.stores.changeCount).toBe(0);
  });
});

describe("scenario 56: a Store is lost", () => {
  test("SPEC-C1: after maxStoreDownTime every Region has three live peers again; nothing happens before", async () => {
    const model = new ModelCluster({ stores: stores(4), config: { maxStoreDownTimeMs: 30 * SECOND_MS } });
    addTiledRegions(model, {
      regionCount: 80,
      storesOf: (at) => [0, 1, 2].map((next) => storeId(((at + next) % 4) + 1)),
      sizeBytesOf: () => 64 * MiB,
    });
    await model.run(10 * SECOND_MS);
    model.stores.kill(storeId(2));
    const changesBefore = model.stores.changeCount;
    await model.run(25 * SECOND_MS);
    const moved = [...model.durable.regions.all()].filter(({ epoch }) => epoch.confVer > 1);
    expect(moved).toEqual([]);
    expect(await model.runUntilQuiet(60 * SECOND_MS, 30 * MINUTE_MS)).toBe(true);
    expect(model.stores.changeCount).toBeGreaterThan(changesBefore);
    for (const { peers } of model.durable.regions.all()) {
      expect(peers.map(({ role, storeId: on }) => [role, on === 2])).toEqual([
        ["Voter", false],
        ["Voter", false],
        ["Voter", false],
      ]);
    }
    expect(leaderSpread(model).deviation).toBeLessThan(0.1);
  });

  test("SPEC-C1: a Store that comes back halfway through leaves no Region with more or fewer than three peers", async () => {
    const model = new ModelCluster({ stores: stores(4), config: { maxStoreDownTimeMs: 30 * SECOND_MS } });
    addTiledRegions(model, {
      regionCount: 200,
      storesOf: (at) => [0, 1, 2].map((next) => storeId(((at + next) % 4) + 1)),
      sizeBytesOf: () => 200 * MiB,
    });
    model.stores.kill(storeId(2));
    while (model.controller.countOf("replica") === 0) {
      await model.step();
    }
    await model.run(3 * SECOND_MS);
    expect(model.controller.countOf("replica")).toBeGreaterThan(0);
    model.stores.revive(storeId(2));
    expect(await model.runUntilQuiet(60 * SECOND_MS, 60 * MINUTE_MS)).toBe(true);
    for (const { peers } of model.durable.regions.all()) {
      expect(peers.map(({ role }) => role)).toEqual(["Voter", "Voter", "Voter"]);
    }
    expect(regionSpread(model).deviation).toBeLessThan(0.1);
  });

  test("a decommissioned Store is emptied, and Regions keep three voters all along", async () => {
    const model = new ModelCluster({ stores: stores(4) });
    addTiledRegions(model, {
      regionCount: 60,
      storesOf: (at) => [0, 1, 2].map((next) => storeId(((at + next) % 4) + 1)),
      sizeBytesOf: () => 64 * MiB,
    });
    model.mark(storeId(3), { isDraining: true });
    for (let step = 0; step < 3_000 && model.cluster.index.of(storeId(3)).regionCount > 0; step++) {
      await model.step();
      const voterCounts = model.durable.regions.all().map(({ peers }) => {
        const voters = peers.filter(({ role }) => role === "Voter" || role === "IncomingVoter");
        return voters.length;
      });
      expect(Math.min(...voterCounts)).toBe(3);
    }
    expect(model.cluster.index.of(storeId(3)).regionCount).toBe(0);
  });

  test("a Store that is to lead nothing leads nothing, and leads again when that is taken back", async () => {
    const model = new ModelCluster({ stores: stores(3) });
    addTiledRegions(model, {
      regionCount: 30,
      storesOf: (at) => [0, 1, 2].map((next) => storeId(((at + next) % 3) + 1)),
      sizeBytesOf: () => 64 * MiB,
    });
    model.mark(storeId(1), { evictsLeaders: true });
    await model.run(60 * SECOND_MS);
    expect(model.cluster.index.of(storeId(1)).led.size).toBe(0);
    model.mark(storeId(1), { evictsLeaders: false });
    await model.run(60 * SECOND_MS);
    expect(leaderSpread(model).deviation).toBeLessThanOrEqual(1 / 10);
  });
});

/** No Region went to where it had been before. */
function expectNoWayBack(records: readonly OperatorRecord[]): void {
  const places = new Map<number, Set<string>>();
  for (const { regionId, steps, state } of records) {
    if (state !== "Done") {
      continue;
    }
    const left = places.get(regionId) ?? new Set();
    places.set(regionId, left);
    for (const { kind, text } of steps) {
      const place = /store (\d+)$/.exec(text)?.[1] ?? "";
      if (kind === "remove-peer") {
        left.add(place);
      } else if (kind === "add-learner") {
        expect(left.has(place), `region ${regionId} came back to store ${place}`).toBe(false);
      }
    }
  }
  expect([...places.values()].filter((left) => left.size > 0).length).toBeGreaterThan(0);
}

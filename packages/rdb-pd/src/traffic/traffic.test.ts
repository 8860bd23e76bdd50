import { RdbError, storeId } from "@flaredb/rdb-base";
import { type StoreFlow, noDurations } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PlacementDriver } from "../placement-driver.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { trafficLimits } from "./limits.ts";
import { Traffic } from "./traffic.ts";

const asked: string[] = [];
let clock: VirtualClock;
let traffic: Traffic;
let leads: boolean;
let answers: Map<string, StoreFlow>;

beforeEach(() => {
  asked.length = 0;
  clock = new VirtualClock();
  leads = true;
  answers = new Map();
  const driver = driverOf([
    { id: 1, address: "10.0.0.1:7410", httpAddress: "0.0.0.0:7420" },
    { id: 2, address: "10.0.0.2:7410", httpAddress: "10.0.0.2:7420" },
  ]);
  traffic = new Traffic({
    clock,
    askStore: (address) => {
      asked.push(address);
      const answer = answers.get(address);
      return answer === undefined
        ? Promise.reject(new RdbError("RDB_UNAVAILABLE", "no answer"))
        : Promise.resolve(answer);
    },
    driver: () => {
      if (!leads) {
        throw new RdbError("RDB_NOT_LEADER", "another one leads");
      }
      return driver;
    },
  });
  traffic.start();
});
afterEach(() => traffic.close());

function driverOf(stores: readonly { id: number; address: string; httpAddress: string }[]): PlacementDriver {
  const present = stores.map((store) => ({ store: { ...store, id: storeId(store.id) }, condition: "Up" }));
  const regions = [{ id: 1, startKey: new Uint8Array() }];
  return {
    lookup: { presentStores: () => present },
    cluster: { durable: { regions: { all: () => regions } } },
  } as never;
}

function flow(count: number): StoreFlow {
  const idle = { count: 0, durations: noDurations() };
  const region = { id: 1, writtenBytes: 10, writtenKeys: 1, readBytes: 0, readKeys: 0 };
  return { bootId: "1", reads: { count, durations: noDurations() }, writes: idle, regions: [region] };
}

test("Stores are asked often while somebody looks, and seldom otherwise", async () => {
  await clock.pass(60_000);
  const seldom = asked.length;
  expect(seldom).toBeLessThanOrEqual(2 * (60_000 / trafficLimits.unwatchedEveryMs + 1));
  traffic.points();
  await clock.pass(trafficLimits.watchedForMs);
  expect(asked.length - seldom).toBeGreaterThanOrEqual(
    trafficLimits.watchedForMs / trafficLimits.watchedEveryMs,
  );
  // One that listens on every address is asked where others reach it.
  expect(new Set(asked)).toEqual(new Set(["10.0.0.1:7420", "10.0.0.2:7420"]));
});

test("a Store that does not answer is left out, and the others count", async () => {
  answers.set("10.0.0.2:7420", flow(0));
  await clock.pass(1_000);
  answers.set("10.0.0.2:7420", flow(100));
  await clock.pass(trafficLimits.unwatchedEveryMs);
  expect(traffic.points().at(-1)?.readsPerSecond).toBeCloseTo(10, 0);
  const view = traffic.heat({
    ...{
      kind: "writtenKeys",
      fromMs: 0,
      toMs: Number.MAX_SAFE_INTEGER,
      columnMaxCount: 9,
      bucketMaxCount: 9,
    },
    ...{ startKey: new Uint8Array(), endKey: new Uint8Array() },
  });
  expect(view.values.flat().some((value) => value > 0)).toBe(true);
});

test("nothing is told by a member that does not lead, nor kept for when it leads again", async () => {
  answers.set("10.0.0.1:7420", flow(5));
  await clock.pass(60_000);
  expect(traffic.points().length).toBeGreaterThan(0);
  leads = false;
  expect(() => traffic.points()).toThrow(expect.objectContaining({ code: "RDB_NOT_LEADER" }));
  await clock.pass(60_000);
  leads = true;
  expect(traffic.points()).toEqual([]);
});

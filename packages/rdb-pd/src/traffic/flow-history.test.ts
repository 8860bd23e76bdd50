import { storeId } from "@flaredb/rdb-base";
import { type StoreFlow, durationBucket, noDurations } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { FlowHistory } from "./flow-history.ts";
import { trafficLimits } from "./limits.ts";

function flow(reads: number, writes: number, bootId = "1"): StoreFlow {
  const counts = (count: number, ms: number) => {
    const durations = noDurations();
    durations[durationBucket(ms)] = count;
    return { count, durations };
  };
  return { bootId, reads: counts(reads, 1), writes: counts(writes, 10), regions: [] };
}

const one = storeId(1);
const two = storeId(2);

test("rates and latencies are those between two looks, over all Stores", () => {
  const history = new FlowHistory();
  history.observe(
    new Map([
      [one, flow(100, 10)],
      [two, flow(0, 0)],
    ]),
    10_000,
  );
  expect(history.points).toEqual([]);
  history.observe(
    new Map([
      [one, flow(300, 10)],
      [two, flow(50, 20)],
    ]),
    12_000,
  );
  const [point] = history.points;
  expect(point).toMatchObject({ timeMs: 12_000, readsPerSecond: 125, writesPerSecond: 10 });
  // To the bound of a bucket, which is at most the square root of two above.
  expect(point?.readP99Ms).toBeGreaterThanOrEqual(1);
  expect(point?.readP99Ms).toBeLessThan(1.5);
  expect(point?.writeP50Ms).toBeGreaterThanOrEqual(10);
  expect(point?.writeP50Ms).toBeLessThan(15);
});

test("where nothing was served there is no latency", () => {
  const history = new FlowHistory();
  history.observe(new Map([[one, flow(5, 5)]]), 1_000);
  history.observe(new Map([[one, flow(5, 5)]]), 2_000);
  expect(history.points).toEqual([
    {
      ...{ timeMs: 2_000, readsPerSecond: 0, writesPerSecond: 0 },
      ...{ readP50Ms: undefined, readP99Ms: undefined, writeP50Ms: undefined, writeP99Ms: undefined },
    },
  ]);
});

test("a Store that is new or was away makes no peak, and one that started anew counts from nothing", () => {
  const history = new FlowHistory();
  history.observe(new Map([[one, flow(1_000, 0)]]), 1_000);
  history.observe(new Map([[two, flow(9_000, 0)]]), 2_000);
  history.observe(
    new Map([
      [one, flow(7, 0, "2")],
      [two, flow(9_001, 0)],
    ]),
    3_000,
  );
  history.observe(
    new Map([
      [one, flow(3, 0, "3")],
      [two, flow(9_001, 0)],
    ]),
    4_000,
  );
  expect(history.points.map(({ readsPerSecond }) => readsPerSecond)).toEqual([0, 1, 3]);
});

test("only so many points are kept, and a clock that went back adds none", () => {
  const history = new FlowHistory();
  for (let at = 0; at <= trafficLimits.pointMaxCount + 5; at++) {
    history.observe(new Map([[one, flow(at, 0)]]), at * 1_000);
  }
  expect(history.points).toHaveLength(trafficLimits.pointMaxCount);
  history.observe(new Map([[one, flow(0, 0)]]), 5);
  expect(history.points.at(-1)?.timeMs).toBe((trafficLimits.pointMaxCount + 5) * 1_000);
});

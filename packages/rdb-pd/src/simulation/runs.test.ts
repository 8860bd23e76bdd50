import { GiB, SECOND_MS } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { runElastic } from "./elastic-run.ts";
import { runScale } from "./scale-run.ts";

/** Seconds of work; the machine may be busy with other tests. */
const TIMEOUT_MS = 60 * SECOND_MS;

test("SPEC-M7: a cluster of 21 Stores and 2,000 Regions gets even, new Stores and all, and then rests", {
  timeout: TIMEOUT_MS,
}, async () => {
  let clockMs = 0;
  const lines: string[] = [];
  const result = await runScale({
    ...{ storeCount: 21, regionCount: 2_000, seed: 7 },
    nowMs: () => ++clockMs,
    memoryBytes: () => GiB,
    say: (line) => lines.push(line),
  });
  expect(result.recordCount).toBe(6_000);
  expect(result.before.regions.deviation).toBeGreaterThan(0.9);
  expect(result.isQuiet).toBe(true);
  expect(result.after.regions.deviation).toBeLessThanOrEqual(0.1);
  expect(result.after.leaders.deviation).toBeLessThanOrEqual(0.1);
  expect(result.peakMemoryBytes).toBe(GiB);
  expect(lines.at(-1)).toMatch(/0 operators run$/);
});

test("SPEC-M7: one of 20 Stores is lost, one comes, and reads are skewed: repaired, filled and evened out", {
  timeout: TIMEOUT_MS,
}, async () => {
  const result = await runElastic({ storeCount: 20, regionCount: 2_000, seed: 7, say: () => {} });
  const [first, last] = [result.samples[0], result.samples.at(-1)];
  expect(first).toMatchObject({ hurtCount: 300, newStoreRegionCount: 0 });
  expect(result.isQuiet).toBe(true);
  expect(result.wholeCount).toBe(2_000);
  expect(result.repairedAfterMs).toBeLessThanOrEqual(120 * SECOND_MS);
  expect(last?.newStoreRegionCount).toBeGreaterThan(270);
  expect(last?.regionDeviation).toBeLessThanOrEqual(0.1);
  expect(last?.leaderDeviation).toBeLessThanOrEqual(0.1);
  expect(first?.hottest).toBeGreaterThan(20);
  expect(last?.hottest).toBeLessThanOrEqual(2);
});

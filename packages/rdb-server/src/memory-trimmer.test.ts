import { MiB } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, it } from "vitest";
import { SimClock } from "./testing/index.ts";
import { MemoryTrimmer, v8Collector } from "./memory-trimmer.ts";

const HEAP_LEFT_BYTES = 50 * MiB;

describe("MemoryTrimmer", () => {
  let clock: SimClock;
  let isQuiet: boolean;
  let heapBytes: number;
  /** Of them what the last moments left. */
  let youngBytes: number;
  let collectCount: number;
  let trimmer: MemoryTrimmer;

  beforeEach(() => {
    clock = new SimClock();
    isQuiet = false;
    heapBytes = 200 * MiB;
    youngBytes = 0;
    collectCount = 0;
    trimmer = new MemoryTrimmer({
      clock,
      isQuiet: () => isQuiet,
      heapBytes: () => heapBytes + youngBytes,
      collect: (garbage) => {
        youngBytes = 0;
        if (garbage === "all") {
          collectCount++;
          heapBytes = HEAP_LEFT_BYTES;
        }
      },
    });
    trimmer.start();
  });

  it("leaves a Store alone that works", async () => {
    await clock.run(60_000);
    expect(collectCount).toBe(0);
  });

  it("collects once when everything sleeps for some time, and not right away", async () => {
    isQuiet = true;
    await clock.run(5_000);
    expect(collectCount).toBe(0);
    await clock.run(60_000);
    expect(collectCount).toBe(1);
  });

  it("counts a Store that was woken as new to its sleep", async () => {
    isQuiet = true;
    await clock.run(5_000);
    isQuiet = false;
    await clock.run(5_000);
    isQuiet = true;
    await clock.run(5_000);
    expect(collectCount).toBe(0);
  });

  it("collects again only when it is worth the pause", async () => {
    isQuiet = true;
    await clock.run(20_000);
    heapBytes += 31 * MiB;
    await clock.run(20_000);
    expect(collectCount).toBe(1);
    heapBytes += 1 * MiB;
    await clock.run(20_000);
    expect(collectCount).toBe(2);
  });

  it("does not walk over everything for what a collection of young garbage takes away", async () => {
    isQuiet = true;
    await clock.run(20_000);
    for (let minute = 0; minute < 10; minute++) {
      youngBytes = 64 * MiB;
      await clock.run(60_000);
      expect(youngBytes).toBe(0);
    }
    expect(collectCount).toBe(1);
  });

  it("does nothing after its end", async () => {
    isQuiet = true;
    trimmer.stop();
    await clock.run(60_000);
    expect(collectCount).toBe(0);
  });
});

it.each([
  { which: "young", count: 20_000, leastBytes: 0.5 * MiB },
  { which: "all", count: 1_000_000, leastBytes: 10 * MiB },
] as const)("v8Collector takes away $which that nothing refers to", ({ which, count, leastBytes }) => {
  const collect = v8Collector();
  const garbage = Array.from({ length: count }, (_, at) => ({ at }));
  expect(garbage.length).toBe(count);
  garbage.length = 0;
  const before = process.memoryUsage().heapUsed;
  collect(which);
  expect(before - process.memoryUsage().heapUsed).toBeGreaterThan(leastBytes);
});

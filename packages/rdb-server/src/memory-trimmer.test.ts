import { MiB } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, it } from "vitest";
import { SimClock } from "./testing/index.ts";
import { MemoryTrimmer, v8Collector } from "./memory-trimmer.ts";

const HEAP_LEFT_BYTES = 50 * MiB;

describe("MemoryTrimmer", () => {
  let clock: SimClock;
  let isQuiet: boolean;
  let heapBytes: number;
  let collectCount: number;
  let trimmer: MemoryTrimmer;

  beforeEach(() => {
    clock = new SimClock();
    isQuiet = false;
    heapBytes = 200 * MiB;
    collectCount = 0;
    trimmer = new MemoryTrimmer({
      clock,
      isQuiet: () => isQuiet,
      heapBytes: () => heapBytes,
      collect: () => {
        collectCount++;
        heapBytes = HEAP_LEFT_BYTES;
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

  it("does nothing after its end", async () => {
    isQuiet = true;
    trimmer.stop();
    await clock.run(60_000);
    expect(collectCount).toBe(0);
  });
});

it("v8Collector takes away what nothing refers to", () => {
  const collect = v8Collector();
  const garbage = Array.from({ length: 1_000_000 }, (_, at) => ({ at }));
  expect(garbage.length).toBe(1_000_000);
  garbage.length = 0;
  const before = process.memoryUsage().heapUsed;
  collect();
  expect(before - process.memoryUsage().heapUsed).toBeGreaterThan(10 * MiB);
});

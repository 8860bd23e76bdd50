import { describe, expect, test } from "vitest";
import { Latencies } from "./latencies.ts";

function latencies(...durationsMs: number[]): Latencies {
  const made = new Latencies();
  for (const durationMs of durationsMs) {
    made.record(durationMs);
  }
  return made;
}

describe("Latencies", () => {
  test("percentiles are true to three digits, from microseconds to minutes", () => {
    const thousand = latencies(...Array.from({ length: 1_000 }, (_, at) => (at + 1) / 100));
    expect(thousand.count).toBe(1_000);
    const { p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = thousand.percentiles();
    const found = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs];
    for (const [at, expected] of [5, 9, 9.9, 9.99, 10].entries()) {
      expect(Math.abs((found[at] as number) / expected - 1)).toBeLessThan(0.001);
    }
    expect(latencies(0.001).percentileMs(50)).toBe(0.001);
    expect(Math.abs(latencies(90_000).percentileMs(50) / 90_000 - 1)).toBeLessThan(0.001);
  });

  test("nothing is recorded outside of what fits, and none is lost", () => {
    const odd = latencies(-1, 1e12);
    expect(odd.count).toBe(2);
    expect(odd.percentileMs(50)).toBe(0);
    expect(odd.percentileMs(100)).toBeGreaterThanOrEqual(3_600_000);
  });

  test("without calls every percentile is 0", () => {
    expect(new Latencies().percentiles()).toEqual({ p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 });
  });

  test("what went through another process, and what is added, counts as if it were recorded here", () => {
    const [fast, slow] = [latencies(1, 2, 3), latencies(100, 200, 300)];
    fast.add(Latencies.decode(slow.encode()));
    fast.add(Latencies.decode(new Latencies().encode()));
    expect(fast.percentiles()).toEqual(latencies(1, 2, 3, 100, 200, 300).percentiles());
    slow.reset();
    expect(slow.count).toBe(0);
  });
});

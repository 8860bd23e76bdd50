import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DURATION_BUCKET_COUNT,
  durationBoundMs,
  durationBucket,
  durationQuantileMs,
  noDurations,
  storeFlowFromJson,
} from "./store-flow.ts";

test("every duration is at most its bucket's bound, and longer than that of the bucket before", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 40_000, noNaN: true }), (ms) => {
      const bucket = durationBucket(ms);
      expect(ms).toBeLessThanOrEqual(durationBoundMs(bucket) * 1.000001);
      expect(bucket === 0 || ms > durationBoundMs(bucket - 1) * 0.999999).toBe(true);
    }),
  );
  expect(durationBucket(1e9)).toBe(DURATION_BUCKET_COUNT - 1);
});

test("a quantile is at most the square root of two above the true one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.06, max: 1_000, noNaN: true }), { minLength: 1 }),
      (durations) => {
        const counts = noDurations();
        for (const ms of durations) {
          counts[durationBucket(ms)] = (counts[durationBucket(ms)] ?? 0) + 1;
        }
        const sorted = [...durations].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? 0;
        const told = durationQuantileMs(counts, 0.99) ?? 0;
        expect(told).toBeGreaterThanOrEqual(exact * 0.999);
        expect(told).toBeLessThanOrEqual(exact * Math.SQRT2 * 1.001);
      },
    ),
  );
  expect(durationQuantileMs(noDurations(), 0.99)).toBeUndefined();
});

test("what is no flow is refused", () => {
  const durations = noDurations();
  const counts = { count: 1, durations };
  const sound = { bootId: "1", reads: counts, writes: counts, regions: [] };
  expect(storeFlowFromJson(sound)).toEqual(sound);
  for (const broken of [
    null,
    {},
    { ...sound, reads: { count: -1, durations } },
    { ...sound, regions: [{}] },
  ]) {
    expect(() => storeFlowFromJson(broken)).toThrow(expect.objectContaining({ code: "RDB_INTERNAL" }));
  }
});

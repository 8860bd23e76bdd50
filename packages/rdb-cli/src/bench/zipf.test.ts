import { SeededRandom } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZipfSampler } from "./zipf.ts";

const DRAW_COUNT = 200_000;

/** How often each rank is expected, by the definition. */
function expectedCounts(count: number, exponent: number): number[] {
  const weights = Array.from({ length: count }, (_, at) => 1 / (at + 1) ** exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (weight / sum) * DRAW_COUNT);
}

describe("ZipfSampler", () => {
  test.each([0.2, 0.5, 0.99, 1, 1.5, 3])("draws ranks as often as exponent %d says", (exponent) => {
    const sampler = new ZipfSampler(50, exponent, new SeededRandom(7));
    const counts = Array.from({ length: 50 }, () => 0);
    for (let draw = 0; draw < DRAW_COUNT; draw++) {
      const rank = sampler.next();
      counts[rank - 1] = (counts[rank - 1] as number) + 1;
    }
    for (const [at, expected] of expectedCounts(50, exponent).entries()) {
      // Five standard deviations: with 300 ranks in all, chance alone fails once in thousands of seeds.
      expect(Math.abs((counts[at] as number) - expected)).toBeLessThan(5 * Math.sqrt(expected) + 1);
    }
  });

  test("ranks are from 1 to the count, however large or small it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e12 }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.integer(),
        (count, exponent, seed) => {
          const sampler = new ZipfSampler(count, exponent, new SeededRandom(seed));
          for (let draw = 0; draw < 20; draw++) {
            const rank = sampler.next();
            expect(Number.isSafeInteger(rank) && rank >= 1 && rank <= count).toBe(true);
          }
        },
      ),
    );
  });
});

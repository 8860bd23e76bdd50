import { SeededRandom } from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawElectionTimeoutTicks } from "./election-timeout.ts";

describe("drawElectionTimeoutTicks", () => {
  it("stays within one to two election timeouts, whatever is asked", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(200),
        fc.integer({ min: 1, max: 200 }),
        (seed, ticks, rank, count) => {
          const drawn = drawElectionTimeoutTicks(ticks, new SeededRandom(seed), { rank, count });
          expect(drawn).toBeGreaterThanOrEqual(ticks);
          expect(drawn).toBeLessThan(2 * ticks);
        },
      ),
    );
  });

  it.each([
    { count: 2, apartTicks: 5 },
    { count: 3, apartTicks: 5 },
    { count: 4, apartTicks: 5 },
    { count: 5, apartTicks: 4 },
  ])(
    "draws for each rank of $count from a slice of its own, $apartTicks ticks from the next at least",
    ({ count, apartTicks }) => {
      const slices = Array.from({ length: count }, (_, rank) => {
        const random = new SeededRandom(rank);
        return Array.from({ length: 200 }, () => drawElectionTimeoutTicks(20, random, { rank, count }));
      });
      for (let rank = 1; rank < count; rank++) {
        const before = Math.max(...(slices[rank - 1] as number[]));
        expect(Math.min(...(slices[rank] as number[]))).toBeGreaterThanOrEqual(before + apartTicks);
      }
    },
  );

  it("uses the slice but for its last four ticks", () => {
    const random = new SeededRandom(1);
    const drawn = new Set(
      Array.from({ length: 500 }, () => drawElectionTimeoutTicks(20, random, { rank: 0, count: 2 })),
    );
    expect([...drawn].sort((a, b) => a - b)).toEqual([20, 21, 22, 23, 24, 25]);
  });
});

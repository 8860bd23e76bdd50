import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

const draws = (seed: number): number[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: 20 }, () => random.nextInt(1_000));
};

test("the same seed draws the same, another draws otherwise", () => {
  expect(draws(7)).toEqual(draws(7));
  expect(draws(7)).not.toEqual(draws(8));
  // The upper half of a large seed counts too.
  expect(draws(2 ** 40)).not.toEqual(draws(2 ** 41));
});

test("draws stay in their bounds", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 31 }), (seed, bound) => {
      const random = new SeededRandom(seed);
      const integer = random.nextInt(bound);
      const fraction = random.nextFraction();
      expect(Number.isInteger(integer) && integer >= 0 && integer < bound).toBe(true);
      expect(fraction >= 0 && fraction < 1).toBe(true);
    }),
  );
});

test("every value comes up about as often as any other", () => {
  const random = new SeededRandom(1);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) {
    const value = random.nextInt(10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(800);
  expect(Math.max(...counts)).toBeLessThan(1_200);
});

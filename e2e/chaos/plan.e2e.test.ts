import { expect, test } from "vitest";
import { drawPlan, drawStoreCount } from "./plan.ts";

const nemeses = ["kill", "freeze", "slow"].map((name, at) => ({
  name,
  means: name === "slow" ? ("network" as const) : ("process" as const),
  isMild: name === "slow",
  lastsMs: { min: 1_000 * at, max: 2_000 * at },
}));

function firstFaults(seed: number, count: number) {
  const plan = drawPlan(seed, nemeses);
  return Array.from({ length: count }, () => plan.next().value);
}

test("one seed, one plan", () => {
  expect(firstFaults(7, 20)).toEqual(firstFaults(7, 20));
  expect(firstFaults(7, 20)).not.toEqual(firstFaults(8, 20));
});

test("every nemesis comes once before any comes again, and lasts as long as it may", () => {
  const faults = firstFaults(1, 30);
  for (let first = 0; first < faults.length; first += nemeses.length) {
    const names = faults.slice(first, first + nemeses.length).map(({ nemesis }) => nemesis.name);
    expect(names.toSorted()).toEqual(["freeze", "kill", "slow"]);
  }
  for (const { nemesis, lastsMs, calmMs } of faults) {
    expect(lastsMs).toBeGreaterThanOrEqual(nemesis.lastsMs.min);
    expect(lastsMs).toBeLessThanOrEqual(nemesis.lastsMs.max);
    expect(calmMs).toBeGreaterThan(0);
  }
});

test("now and then a mild one is on at the same time, which works by other means", () => {
  const pairs = firstFaults(1, 300).filter(({ beside }) => beside !== undefined);
  expect(pairs.length).toBeGreaterThan(30);
  expect(pairs.length).toBeLessThan(80);
  expect(new Set(pairs.map(({ nemesis, beside }) => `${nemesis.name} ${beside?.name}`))).toEqual(
    new Set(["kill slow", "freeze slow"]),
  );
});

test("a brief plan has the same faults, each as short as it may be", () => {
  const plan = drawPlan(7, nemeses, true);
  for (const [at, fault] of firstFaults(7, 3).entries()) {
    const brief = plan.next().value;
    expect(brief.lastsMs).toBe(brief.nemesis.lastsMs.min);
    expect(at > 0 || brief.nemesis === fault.nemesis).toBe(true);
  }
});

test("orders differ from round to round", () => {
  const orders = new Set(
    Array.from({ length: 10 }, (_, seed) =>
      firstFaults(seed, 3)
        .map(({ nemesis }) => nemesis.name)
        .join(),
    ),
  );
  expect(orders.size).toBeGreaterThan(2);
});

test("a run has three or four Stores, as its seed says", () => {
  const counts = Array.from({ length: 20 }, (_, seed) => drawStoreCount(seed));
  expect(new Set(counts)).toEqual(new Set([3, 4]));
});

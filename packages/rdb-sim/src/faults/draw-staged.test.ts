import { describe, expect, test } from "vitest";
import type { Fault } from "./fault.ts";
import { type Plan, drawPlan, streamOf } from "./plan.ts";
import { withLateAnswers, withStaged } from "./draw-staged.ts";

const START_MS = 3_000;
const bare = (seed: number): Plan => ({ ...drawPlan(seed), faults: [], faultsEndMs: 33_000 });
const staged = (plan: Plan): Plan => withStaged(plan, streamOf(plan.seed, "staged"), START_MS);
const plans = Array.from({ length: 200 }, (_, seed) => bare(seed));

/** From a moment before a staged fault until some time after its second stage begins. */
function isCalm({ atMs, durationMs }: Fault, around: Fault): boolean {
  const leadMs = "leadMs" in around ? around.leadMs : 0;
  return atMs + durationMs <= around.atMs - 1_500 || atMs >= around.atMs + leadMs + 2_500;
}

describe("faults in stages", () => {
  test("are in most plans, of every kind, elastic or not", () => {
    for (const isElastic of [false, true]) {
      const kinds = plans
        .filter(({ shape }) => (shape.elastic !== undefined) === isElastic)
        .map((plan) => staged(plan).faults.map(({ kind }) => kind));
      const changing = isElastic ? ["missed-merge", "untold-change", "overtaken-snapshot"] : [];
      expect(new Set(kinds.flat())).toEqual(
        new Set(["doubtful-leader", "usurper", "lost-transfer", ...changing]),
      );
      expect(kinds.filter(({ length }) => length > 0).length).toBeGreaterThan(kinds.length / 2);
    }
  });

  test("come one after the other, within the time in which things go wrong", () => {
    for (const plan of plans) {
      const { faults, faultsEndMs } = staged(plan);
      for (const [place, { atMs, durationMs }] of faults.entries()) {
        expect(atMs).toBeGreaterThanOrEqual(START_MS);
        expect(atMs + durationMs).toBeLessThanOrEqual(
          Math.min(faultsEndMs, faults[place + 1]?.atMs ?? Infinity),
        );
      }
    }
  });

  test("have everything else make way, which goes wrong all the same", () => {
    const pauses = Array.from({ length: 29 }, (_, place): Fault => {
      const atMs = START_MS + place * 1_000;
      return { kind: "pause", targets: { role: "pd" }, atMs, durationMs: 1_700 };
    });
    for (const plan of plans) {
      const { faults } = staged({ ...plan, faults: pauses });
      const aimed = faults.filter(({ kind }) => kind !== "pause");
      const others = faults.filter(({ kind }) => kind === "pause");
      expect(others).toHaveLength(pauses.length);
      // At the very end there may be no time left to which they could go.
      const inTime = others.filter(({ atMs }) => atMs < plan.faultsEndMs - 8_000);
      expect(aimed.slice(0, 1).every((one) => inTime.every((other) => isCalm(other, one)))).toBe(true);
      expect(others.every(({ durationMs }) => durationMs >= 1)).toBe(true);
    }
  });
});

test("late answers come in about a third of the seeds, when all else is over", () => {
  const whole = plans.map(staged);
  const changedPlans = whole.map((plan) => withLateAnswers(plan, streamOf(plan.seed, "late")));
  const changed = changedPlans.filter((plan, place) => plan !== whole[place]);
  expect(changed.length / whole.length).toBeGreaterThan(0.2);
  expect(changed.length / whole.length).toBeLessThan(0.5);
  for (const { seed, faults, faultsEndMs } of changed) {
    const before = whole[plans.findIndex((plan) => plan.seed === seed)] as Plan;
    const last = faults.at(-1) as Fault;
    expect(faults.slice(0, -1)).toEqual(before.faults);
    expect(last.atMs).toBeGreaterThan(before.faultsEndMs);
    expect(last.atMs + last.durationMs).toBe(faultsEndMs);
    // What comes of it, it has time for.
    expect(last.kind === "late-answers" && last.durationMs - last.leadMs).toBeGreaterThanOrEqual(2_500);
  }
});

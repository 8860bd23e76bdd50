import { describe, expect, test } from "vitest";
import type { Fault } from "../faults/fault.ts";
import { type Plan, drawPlan } from "../faults/plan.ts";
import { minimise } from "./minimise.ts";

function planOf(count: number): Plan {
  const faults = Array.from({ length: count }, (_, place): Fault => {
    return { kind: "isolate", target: { role: "store", place }, atMs: 1_000 * place, durationMs: 800 };
  });
  return { ...drawPlan(1), faults, faultsEndMs: 60_000 };
}

const places = ({ faults }: Plan): unknown[] =>
  faults.map((fault) => (fault.kind === "isolate" ? fault.target : undefined));

describe("minimise", () => {
  test("leaves the faults that it takes, and no other", async () => {
    const needed = [
      { role: "store", place: 3 },
      { role: "store", place: 11 },
    ];
    const { plan, runCount } = await minimise(planOf(20), {
      violationOf: (candidate) =>
        Promise.resolve(
          needed.every((target) =>
            places(candidate).some((one) => JSON.stringify(one) === JSON.stringify(target)),
          )
            ? "lost"
            : undefined,
        ),
    });
    expect(places(plan)).toEqual(needed);
    expect(plan.faultsEndMs).toBeLessThan(60_000);
    expect(plan.faults.every(({ durationMs }) => durationMs < 25)).toBe(true);
    expect(runCount).toBeLessThan(80);
  });

  test("keeps how long a fault has to last", async () => {
    const { plan } = await minimise(planOf(4), {
      violationOf: ({ faults }) =>
        Promise.resolve(
          faults.some(({ atMs, durationMs }) => atMs === 2_000 && durationMs >= 300) ? "x" : undefined,
        ),
    });
    expect(plan.faults).toMatchObject([{ atMs: 2_000, durationMs: 400 }]);
  });

  test("does not take another violation for this one", async () => {
    const { plan } = await minimise(planOf(6), {
      violationOf: ({ faults }) => Promise.resolve(faults.length === 6 ? "first" : "second"),
    });
    expect(plan.faults).toHaveLength(6);
  });

  test("drops every fault when it takes none", async () => {
    const { plan } = await minimise(planOf(6), { violationOf: () => Promise.resolve("always") });
    expect(plan.faults).toEqual([]);
  });

  test("ends after the runs that it was given", async () => {
    const { runCount } = await minimise(planOf(64), {
      violationOf: () => Promise.resolve("always"),
      runMaxCount: 3,
    });
    expect(runCount).toBe(3);
  });

  test("refuses a plan that violates nothing", async () => {
    await expect(minimise(planOf(3), { violationOf: () => Promise.resolve(undefined) })).rejects.toThrow(
      "violates nothing",
    );
  });
});

import { expect, test } from "vitest";
import { drawPlan } from "../faults/plan.ts";
import { describeViolation } from "./report.ts";
import { runPlan } from "./run-plan.ts";
import { fixedSeeds } from "./fixed-seeds.ts";

/** Real time, on a machine that does much else. */
const SEED_MAX_MS = 60_000;

test.each(fixedSeeds)(
  "seed %i: nothing is violated",
  async (seed) => {
    const verdict = await runPlan(drawPlan(seed));
    expect(verdict.violation === undefined ? "" : describeViolation(verdict, "under test")).toBe("");
    expect(verdict.stats.okCallCount).toBeGreaterThan(0);
    expect(verdict.stats.simulatedMs).toBeGreaterThanOrEqual(30_000);
  },
  SEED_MAX_MS,
);

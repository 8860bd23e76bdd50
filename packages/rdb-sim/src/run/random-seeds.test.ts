import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { SEED_BOUND, drawPlan } from "../faults/plan.ts";
import { describeViolation } from "./report.ts";
import { runPlan } from "./run-plan.ts";

/** Seeds that no run tried before; a failure prints which. */
const seedCount = Number(process.env["FLAREDB_SIM_SEEDS"] ?? 30);
/** Real time, on a machine that does much else. */
const SEED_MAX_MS = 60_000;

test.each(Array.from({ length: seedCount }, () => randomInt(SEED_BOUND)))(
  "seed %i: nothing is violated",
  async (seed) => {
    const verdict = await runPlan(drawPlan(seed));
    expect(verdict.violation === undefined ? "" : describeViolation(verdict, "under test")).toBe("");
  },
  SEED_MAX_MS,
);

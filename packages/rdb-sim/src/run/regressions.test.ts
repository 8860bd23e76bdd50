import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { Plan } from "../faults/plan.ts";
import { describeViolation } from "./report.ts";
import { runPlan } from "./run-plan.ts";

/** Minimised plans that once found a bug, each named after it. A plan stays what it was when seeds draw others. */
const folder = new URL("./regressions/", import.meta.url);
const PLAN_MAX_MS = 60_000;

test.each(readdirSync(folder).map((name) => [name]))(
  "%s: nothing is violated",
  async (name) => {
    const plan = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Plan;
    const verdict = await runPlan(plan);
    expect(verdict.violation === undefined ? "" : describeViolation(verdict, "under test")).toBe("");
  },
  PLAN_MAX_MS,
);

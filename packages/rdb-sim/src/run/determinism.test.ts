import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { drawPlan } from "../faults/plan.ts";
import { runPlan } from "./run-plan.ts";

const program = fileURLToPath(new URL("../main.ts", import.meta.url));
const PATIENCE_MS = 120_000;

test.each([3, 4, 11])(
  "seed %i runs the same way twice, watched or not, and in a process of its own",
  async (seed) => {
    const first = await runPlan(drawPlan(seed));
    let lineCount = 0;
    const watched = await runPlan(drawPlan(seed), {
      show: () => {
        lineCount++;
      },
    });
    expect(watched).toEqual(first);
    expect(lineCount).toBeGreaterThan(first.stats.eventCount / 2);
    const args = [program, "--seed", String(seed), "--quiet"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toContain(`trace ${first.traceHash}`);
  },
  PATIENCE_MS,
);

test(
  "other seeds, and the same seed without one fault, run in other ways",
  async () => {
    const plan = drawPlan(11);
    const { traceHash } = await runPlan(plan);
    expect((await runPlan({ ...plan, faults: plan.faults.slice(1) })).traceHash).not.toBe(traceHash);
    expect((await runPlan(drawPlan(12))).traceHash).not.toBe(traceHash);
  },
  PATIENCE_MS,
);

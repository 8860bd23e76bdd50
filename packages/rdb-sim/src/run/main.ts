import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { historyLines } from "../check/history-lines.ts";
import type { History } from "../check/history.ts";
import { type Plan, SEED_BOUND, drawPlan, formatPlan } from "../faults/plan.ts";
import { type Invocation, UsageError, readFlags, usage } from "./flags.ts";
import { hunt } from "./hunt.ts";
import { minimise } from "./minimise.ts";
import { Tally, describeViolation } from "./report.ts";
import { runPlan } from "./run-plan.ts";

const exitCodes = { ok: 0, violated: 1, wrongUsage: 2 } as const;
/** Between two lines of progress, in real time. */
const PROGRESS_EVERY_MS = 5_000;

/** What the program stands on; tests bring their own. */
export interface SimPorts {
  readonly print: (text: string) => void;
  readonly runPlan: typeof runPlan;
  readonly hunt: typeof hunt;
}

/** The real ones. */
export const simPorts: SimPorts = {
  print: (text) => process.stdout.write(`${text}\n`),
  runPlan,
  hunt,
};

/** `npm run sim`. @returns the exit code */
export async function main(argv: readonly string[], ports: SimPorts): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = readFlags(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      ports.print(`error: ${error.message}; see npm run sim -- --help`);
      return exitCodes.wrongUsage;
    }
    throw error;
  }
  if ("historyFile" in invocation && !canWrite(invocation.historyFile)) {
    ports.print(`error: --history ${invocation.historyFile} cannot be written; see npm run sim -- --help`);
    return exitCodes.wrongUsage;
  }
  switch (invocation.kind) {
    case "help":
      ports.print(usage);
      return exitCodes.ok;
    case "hunt":
      return huntSeeds(invocation, ports);
    case "replay":
      return replay(invocation, ports);
    case "minimise":
      return minimiseSeed(invocation, ports);
  }
}

async function huntSeeds(
  { seedCount, firstSeed, jobCount, keepGoing }: Extract<Invocation, { kind: "hunt" }>,
  ports: SimPorts,
): Promise<number> {
  const { print } = ports;
  const first = firstSeed ?? randomInt(SEED_BOUND - seedCount);
  print(`seeds ${first} to ${first + seedCount - 1}, ${jobCount} at a time, commit ${commitName()}`);
  const tally = new Tally(seedCount, performance.now());
  let printedMs = performance.now();
  await ports.hunt({
    ...{ firstSeed: first, seedCount, jobCount, keepGoing },
    onVerdict: (verdict) => {
      tally.add(verdict);
      const nowMs = performance.now();
      if (verdict.violation !== undefined) {
        print(describeViolation(verdict, commitName()));
      } else if (nowMs - printedMs >= PROGRESS_EVERY_MS) {
        printedMs = nowMs;
        print(tally.progress(nowMs));
      }
    },
  });
  print(tally.summary(performance.now()));
  return tally.violated.length === 0 ? exitCodes.ok : exitCodes.violated;
}

async function replay(
  { source, isQuiet, historyFile }: Extract<Invocation, { kind: "replay" }>,
  ports: SimPorts,
): Promise<number> {
  const { print } = ports;
  const plan = "seed" in source ? drawPlan(source.seed) : readPlan(source.planFile);
  if (plan === undefined) {
    print(`error: ${"planFile" in source ? source.planFile : ""} holds no plan that --minimise printed`);
    return exitCodes.wrongUsage;
  }
  print(formatPlan(plan));
  const startedMs = performance.now();
  const verdict = await ports.runPlan(plan, {
    ...(isQuiet ? {} : { show: print }),
    onHistory: (history) => writeHistory(historyFile, history),
  });
  const tally = new Tally(1, startedMs);
  tally.add(verdict);
  print(tally.summary(performance.now()));
  if (verdict.violation === undefined) {
    print(`seed ${plan.seed}: nothing was violated, trace ${verdict.traceHash}`);
    return exitCodes.ok;
  }
  print(describeViolation(verdict, commitName(), "planFile" in source ? source.planFile : undefined));
  return exitCodes.violated;
}

async function minimiseSeed(
  { seed, historyFile }: Extract<Invocation, { kind: "minimise" }>,
  ports: SimPorts,
): Promise<number> {
  const { print } = ports;
  const plan = drawPlan(seed);
  const first = await ports.runPlan(plan);
  if (first.violation === undefined) {
    print(`seed ${seed}: nothing was violated, there is nothing to minimise`);
    return exitCodes.ok;
  }
  print(`${first.violation.name}: ${plan.faults.length} faults to begin with`);
  let printedMs = performance.now();
  const smallest = await minimise(plan, {
    violationOf: async (candidate) => (await ports.runPlan(candidate)).violation?.name,
    onRun: ({ runCount, faultCount }) => {
      const nowMs = performance.now();
      if (nowMs - printedMs >= PROGRESS_EVERY_MS) {
        printedMs = nowMs;
        print(`${runCount} runs, ${faultCount} faults are left`);
      }
    },
  });
  const verdict = await ports.runPlan(smallest.plan, {
    onHistory: (history) => writeHistory(historyFile, history),
  });
  print(formatPlan(smallest.plan));
  print(describeViolation(verdict, commitName(), "FILE"));
  print(`${smallest.runCount} runs left ${smallest.plan.faults.length} faults; for --plan FILE:`);
  print(JSON.stringify(smallest.plan));
  return exitCodes.violated;
}

/** @returns undefined when the file holds something else */
function readPlan(path: string): Plan | undefined {
  let plan: Partial<Plan> | null;
  try {
    plan = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // Not there, or no JSON: the caller says so.
    return undefined;
  }
  const isPlan = typeof plan?.seed === "number" && Array.isArray(plan.faults) && plan.shape !== undefined;
  return isPlan ? (plan as Plan) : undefined;
}

/** Looked at before the run, which may be long. Leaves an empty file. */
function canWrite(path: string | undefined): boolean {
  try {
    if (path !== undefined) {
      writeFileSync(path, "");
    }
    return true;
  } catch {
    // The caller says so.
    return false;
  }
}

function writeHistory(path: string | undefined, history: History): void {
  if (path !== undefined) {
    writeFileSync(path, [...historyLines(history.calls)].join(""));
  }
}

/** What a failure was seen with. */
function commitName(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const isDirty = git("status", "--porcelain", "--untracked-files=no") !== "";
    return `${git("rev-parse", "--short=10", "HEAD")}${isDirty ? "+dirty" : ""}`;
  } catch {
    // A copy without its history runs seeds as well.
    return "unknown";
  }
}

import { parseArgs } from "node:util";
import { GiB, MiB } from "@flaredb/rdb-base";
import { runElastic } from "./elastic-run.ts";
import { runScale } from "./scale-run.ts";

const usage = "npm run pd-sim -- [--stores 1000] [--regions 1000000] [--seed 1] [--elastic]";

function countOf(text: string, name: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) {
    throw new Error(`--${name} ${text} must be a whole number >= 1: ${usage}`);
  }
  return count;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

/** Time that the process was given: others on the machine do not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A cluster that loses a Store, gets one and is read unevenly: see docs/placement.md. */
async function elastic(storeCount: number, regionCount: number, seed: number): Promise<boolean> {
  const result = await runElastic({ storeCount, regionCount, seed, say });
  const last = result.samples.at(-1);
  say("");
  say(`repaired after ${result.repairedAfterMs / 1_000} s of the model; ${result.changeCount} moves in all`);
  return (
    result.isQuiet &&
    result.wholeCount === regionCount &&
    last !== undefined &&
    last.regionDeviation <= 0.1 &&
    last.leaderDeviation <= 0.1
  );
}

/** What PD bears: see docs/placement.md. */
async function scale(storeCount: number, regionCount: number, seed: number): Promise<boolean> {
  const result = await runScale({
    ...{ storeCount, regionCount, seed },
    nowMs: cpuMs,
    memoryBytes: () => process.memoryUsage().rss,
    say,
  });
  say("");
  say(`full patrol           ${(result.patrolMs / 1_000).toFixed(2)} s of CPU (aim: under 60)`);
  say(`region records        ${Math.round(result.recordsPerSecond)} a second of CPU (aim: 100000)`);
  say(`memory, peak          ${(result.peakMemoryBytes / GiB).toFixed(2)} GiB (aim: under 2)`);
  say(
    `balanced after        ${Math.round(result.balancedAfterMs / 1_000)} s of the model, ${result.changeCount} moves`,
  );
  say(
    `regions, off the mean ${percent(result.before.regions.deviation)} before, ${percent(result.after.regions.deviation)} after`,
  );
  say(
    `leaders, off the mean ${percent(result.before.leaders.deviation)} before, ${percent(result.after.leaders.deviation)} after`,
  );
  return (
    result.patrolMs < 60_000 &&
    result.recordsPerSecond >= 100_000 &&
    result.peakMemoryBytes < 2_048 * MiB &&
    result.isQuiet &&
    result.after.regions.deviation <= 0.1 &&
    result.after.leaders.deviation <= 0.1
  );
}

/** Exits with 1 when it was not as it should be. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stores: { type: "string", default: "1000" },
      regions: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
      elastic: { type: "boolean", default: false },
    },
  });
  const run = values.elastic ? elastic : scale;
  const isGood = await run(
    countOf(values.stores, "stores"),
    countOf(values.regions, "regions"),
    countOf(values.seed, "seed"),
  );
  say(isGood ? "all as it should be" : "NOT as it should be");
  return isGood ? 0 : 1;
}

process.exitCode = await main();

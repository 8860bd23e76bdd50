// `npm run chaos`: real processes on loopback are killed, frozen, cut off and given broken disks while clients work; in
// the end every acknowledged write must be there, and what clients saw must be linearizable. docs/chaos.md says more.
// usage: npm run chaos -- [--minutes 10] [--seed S] [--only NEMESIS,...] [--brief] [--untimed] [--report FILE.md]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ChaosCluster } from "./chaos/chaos-cluster.ts";
import { INITIAL_REGIONS } from "./chaos/load.ts";
import { canLosePackets, endWithParent, inOwnNetwork } from "./chaos/own-network.ts";
import { diskFillers, nemeses } from "./chaos/nemeses.ts";
import { FULL_DISK_BYTES, RESERVE_BYTES } from "./chaos/fill.ts";
import { drawStoreCount } from "./chaos/plan.ts";
import { canLosePower } from "./chaos/power.ts";
import { plot } from "./chaos/plot.ts";
import { withRun } from "./chaos/report.ts";
import { ChaosRun } from "./chaos/run.ts";
import { judge } from "./chaos/verdict.ts";

/** Beyond the run's own time: start, the last fault, reading back. Past it something hangs. */
const DEADLINE_SLACK_MS = 900_000;
const MS_PER_MINUTE = 60_000;
/** Small: Regions split every few seconds. */
const REGION_SPLIT_SIZE_BYTES = 1024 * 1024;
/** What is told of each kind of finding. */
const TOLD_MAX_COUNT = 5;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    only: { type: "string" },
    brief: { type: "boolean", default: false },
    untimed: { type: "boolean", default: false },
    report: { type: "string" },
  },
});
process.exit((await inOwnNetwork()) ?? (await main()));

async function main(): Promise<number> {
  endWithParent();
  const names = flags.only?.split(",");
  const unknown = names?.filter((name) => nemeses.every((nemesis) => nemesis.name !== name)) ?? [];
  const durationMs = Number(flags.minutes) * MS_PER_MINUTE;
  const seed = Number(flags.seed);
  if (flags.report !== undefined && !(flags.report.endsWith(".md") && existsSync(flags.report))) {
    console.error("--report must name a Markdown file that is there");
    return 2;
  }
  if (unknown.length > 0 || !(durationMs > 0) || !Number.isSafeInteger(seed)) {
    console.error(
      `--minutes must be > 0, --seed an integer, and --only of: ${nemeses.map(({ name }) => name).join(", ")}`,
    );
    return 2;
  }
  const storeCount = drawStoreCount(seed);
  const title = `Seed ${seed}: ${storeCount} Stores, 3 members of PD, ${flags.minutes} minutes of faults.`;
  console.log(title);
  const cluster = await ChaosCluster.start({
    storeCount,
    initialRegions: INITIAL_REGIONS,
    pdConfig: { placement: { maxStoreDownTimeMs: 15_000 } },
    storeConfig: {
      regionSplitSizeBytes: REGION_SPLIT_SIZE_BYTES,
      disk: { fullDiskBytes: FULL_DISK_BYTES, reserveBytes: RESERVE_BYTES },
    },
  });
  const leftOut = new Map<string, string>();
  if (cluster.smallDisk === undefined) {
    diskFillers.forEach((name) => leftOut.set(name, "nobody may mount here"));
  }
  if (!canLosePackets()) {
    leftOut.set("lose-packets", "nobody may have a network of his own here");
  }
  if (!canLosePower()) {
    leftOut.set("lose-power", "there is no C compiler, or this is not Linux");
  }
  for (const [name, reason] of leftOut) {
    console.log(`${name} is left out: ${reason}`);
  }
  const end = (why: string): void => {
    console.error(`${why}: the run ends here; data and logs are in ${cluster.folder}`);
    process.exit(1);
  };
  // The processes end with this one, however it ends.
  setTimeout(() => end("the run takes longer than it may"), durationMs + DEADLINE_SLACK_MS);
  process.once("SIGTERM", () => end("SIGTERM"));
  process.once("SIGINT", () => end("SIGINT"));
  const run = await ChaosRun.start(cluster, {
    seed,
    durationMs,
    areBrief: flags.brief,
    nemeses: nemeses.filter(({ name }) => names?.includes(name) !== false && !leftOut.has(name)),
    print: (line) => console.log(line),
  });
  const findings = await run.play();
  const judgements = judge(findings, !flags.untimed);
  const isGood = judgements.every(({ isKept }) => isKept);
  console.log();
  for (const { what, found, isKept } of judgements) {
    console.log(`${isKept ? "  ok  " : "FAILED"}  ${what}: ${found}`);
  }
  for (const finding of [
    findings.anomalies,
    findings.lost,
    findings.differing,
    findings.troubles,
    findings.givenUp,
  ].flatMap((some) => some.slice(0, TOLD_MAX_COUNT))) {
    console.log(`\n${finding}`);
  }
  if (flags.report !== undefined) {
    const picture = flags.report.replace(/\.md$/, ".svg");
    const samples = { samples: run.timeline.samples, resources: run.resources.samples };
    const record = { title, ...samples, faults: findings.faults, judgements };
    writeFileSync(picture, plot(record));
    writeFileSync(flags.report, withRun(readFileSync(flags.report, "utf8"), record, picture));
  }
  await cluster.dispose({ keepsFolder: !isGood });
  console.log(
    isGood
      ? `\nAll promises kept. Seed ${seed}.`
      : `\nNot as promised. Seed ${seed}. Data, logs and histories: ${cluster.folder}`,
  );
  return isGood ? 0 : 1;
}

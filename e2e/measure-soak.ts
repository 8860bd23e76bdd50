// `npm run measure:soak`: whether latency, memory, log and disk stay as they are when three Stores are written to at a
// share of their peak for a long time. Finds the peak first, with as many clients as wait for their answers. Prints a
// line now and then, and a table for docs/scale.md; exits with 1 when a goal is missed.
// usage: npm run measure:soak -- [--minutes 60] [--share 0.7] [--clients 256] [--plot docs/soak.svg]
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { LocalGenerator } from "../packages/rdb-cli/src/bench/generator.ts";
import { parseBenchOptions } from "../packages/rdb-cli/src/bench/options.ts";
import { TestCluster } from "./cluster.ts";
import { plot } from "./soak/plot.ts";
import { SoakWatch } from "./soak/soak-watch.ts";
import { judge } from "./soak/verdict.ts";

/** Load until V8 has compiled what is hot, in all processes. */
const WARM_UP_SECONDS = 10;
const PEAK_SECONDS = 20;
/** Calls that may be open at a time in the open loop: more wait for their turn, which counts as latency. */
const OPEN_LOOP_CLIENTS = 4_096;
const KEY_COUNT = 100_000;
const DEADLINE_MS = 10_000;
const LOOK_INTERVAL_MS = 10_000;
/** Less has not two looks in each sixth. */
const MIN_SECONDS = 120;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    share: { type: "string", default: "0.7" },
    clients: { type: "string", default: "256" },
    plot: { type: "string" },
  },
});
const durationSeconds = Number(flags.minutes) * 60;
const share = Number(flags.share);
if (!(durationSeconds >= MIN_SECONDS && share > 0)) {
  throw new Error(
    `--minutes ${flags.minutes} and --share ${flags.share} must be numbers: at least ${MIN_SECONDS / 60}, and more than 0`,
  );
}

const cluster = await TestCluster.start();
try {
  const peak = await measurePeak();
  const rate = Math.floor(peak * share);
  console.error(`peak ${Math.round(peak)} puts/s; ${flags.minutes} minutes at ${rate} puts/s`);
  const load = generator({
    clients: String(OPEN_LOOP_CLIENTS),
    rate: String(rate),
    warmUp: "5",
    seconds: String(durationSeconds),
  });
  await load.prepare();
  const watch = new SoakWatch(cluster, load);
  const running = load.run();
  const ended = running.then(() => undefined);
  for (let isOn = true; isOn; ) {
    isOn = await Promise.race([sleep(LOOK_INTERVAL_MS, true), ended.then(() => false)]);
    const { atMs, latencies, storeBytes, diskBytes, logEntryCount } = await watch.look();
    console.error(
      `${(atMs / 60_000).toFixed(1).padStart(5)} min  ${String(latencies.count).padStart(8)} puts` +
        `  p50 ${latencies.percentileMs(50).toFixed(1)} ms  p99 ${latencies.percentileMs(99).toFixed(1)} ms` +
        `  ${(storeBytes / 2 ** 20).toFixed(0)} MiB resident  ${(diskBytes / 2 ** 20).toFixed(0)} MiB on disk  ${logEntryCount} entries`,
    );
  }
  const { calls, errors, unstarted } = await running;
  load.close();
  const judgements = judge({ samples: watch.samples, callCount: calls, errors, unstartedCount: unstarted });
  console.log(
    [
      `| ${flags.minutes} minutes of ${rate.toLocaleString("en")} puts/s (${Math.round(share * 100)} % of the peak) | found | goal | |`,
      "|---|---|---|---|",
      ...judgements.map(
        ({ what, found, goal, isMet }) => `| ${what} | ${found} | ${goal} | ${isMet ? "met" : "missed"} |`,
      ),
      "",
    ].join("\n"),
  );
  if (flags.plot !== undefined) {
    writeFileSync(flags.plot, plot(watch.samples));
  }
  process.exitCode = judgements.every(({ isMet }) => isMet) ? 0 : 1;
} finally {
  for (const end of cluster.unexpectedEnds()) {
    console.error(end);
    process.exitCode = 1;
  }
  await cluster.dispose();
}

async function measurePeak(): Promise<number> {
  const load = generator({
    clients: flags.clients,
    warmUp: String(WARM_UP_SECONDS),
    seconds: String(PEAK_SECONDS),
    fill: true,
  });
  try {
    await load.prepare();
    const { calls, elapsedMs } = await load.run();
    return (calls * 1_000) / elapsedMs;
  } finally {
    load.close();
  }
}

function generator(options: Parameters<typeof parseBenchOptions>[1]): LocalGenerator {
  const parsed = parseBenchOptions("put", { keys: String(KEY_COUNT), ...options });
  return new LocalGenerator(parsed, { pdAddresses: [cluster.pdAddress], deadlineMs: DEADLINE_MS });
}

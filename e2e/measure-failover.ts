// `npm run measure:failover`: how long writes to a Region stop when its leader's Store is killed under load. Each round
// kills the Store that leads most; every Region has a writer of its own. Prints a table for docs/scale.md; exits with 1
// when a goal is missed.
// usage: npm run measure:failover -- [--regions 120] [--rounds 20] [--pause-ms 50]
import { parseArgs } from "node:util";
import type { RdbClient } from "@flaredb/rdb-client";
import type { TestStore } from "./cluster.ts";
import { GapWriter } from "./scale/gap-writer.ts";
import { type Measured, allMet, renderMeasured } from "./scale/goals.ts";
import { ScaleCluster } from "./scale/scale-cluster.ts";
import { pause, waitFor } from "./wait.ts";

/** Load before a kill, so that every Region is written to and its leader known. */
const LOAD_MS = 1_500;
const RESUME_TIMEOUT_MS = 30_000;

const { values: flags } = parseArgs({
  options: {
    regions: { type: "string", default: "120" },
    rounds: { type: "string", default: "20" },
    "pause-ms": { type: "string", default: "50" },
  },
});
const regionCount = Number(flags.regions);

const scale = await ScaleCluster.start({ regionCount });
/** Of each Region that the victim led, in each round. */
const gapSeconds: number[] = [];
/** Of each round. */
const worstSeconds: number[] = [];
let writers: GapWriter[] = [];
try {
  const client = await scale.cluster.connect();
  writers = startWriters(client);
  for (let round = 1; round <= Number(flags.rounds); round++) {
    await pause(LOAD_MS);
    const gaps = await killAndWatch(await leadsMost());
    gapSeconds.push(...gaps);
    worstSeconds.push(Math.max(...gaps));
    console.error(
      `round ${round}: ${gaps.length} Regions, all resumed within ${Math.max(...gaps).toFixed(2)} s`,
    );
    await scale.allUp();
    await scale.allLed();
  }
  const failures = (await Promise.all(writers.map((writer) => writer.stop()))).flat();
  if (failures.length > 0) {
    console.error(`${failures.length} writes failed, the first: ${failures[0]}`);
    process.exitCode = 1;
  }
} finally {
  for (const end of scale.cluster.unexpectedEnds()) {
    console.error(end);
    process.exitCode = 1;
  }
  await scale.cluster.dispose();
}
const measured: Measured[] = [
  { what: "writes to a Region stop for", unit: "s", values: gapSeconds, goal: { median: 2, worst: 3 } },
  { what: "until the last Region of a round resumes", unit: "s", values: worstSeconds },
];
console.log(
  renderMeasured(
    `Leader's Store killed under load, ${regionCount} Regions, ${flags.rounds} rounds`,
    measured,
  ),
);
process.exitCode ??= allMet(measured) ? 0 : 1;

function startWriters(client: RdbClient): GapWriter[] {
  return Array.from(
    { length: regionCount },
    (_, place) => new GapWriter(client, scale.keyIn(place), Number(flags["pause-ms"])),
  );
}

async function leadsMost(): Promise<{ readonly store: TestStore; readonly led: readonly number[] }> {
  const candidates = await Promise.all(
    scale.stores.map(async (store) => ({ store, led: await scale.ledBy(store) })),
  );
  return candidates.reduce((most, other) => (other.led.length > most.led.length ? other : most));
}

/** @returns for each Region that the Store led, how long no write of it was acknowledged, in seconds */
async function killAndWatch({
  store,
  led,
}: {
  readonly store: TestStore;
  readonly led: readonly number[];
}): Promise<number[]> {
  const hit = led.map((place) => writers[place] as GapWriter);
  hit.forEach((writer) => writer.beginWindow());
  await store.kill();
  const killedMs = performance.now();
  await waitFor("a write to each Region that was led there", RESUME_TIMEOUT_MS, () =>
    hit.every((writer) => writer.begunAndAcknowledgedSince(killedMs)),
  );
  const gaps = hit.map((writer) => writer.longestGapMs() / 1000);
  await store.launch();
  return gaps;
}

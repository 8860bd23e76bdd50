// `npm run measure:idle`: what sleeping Regions cost Stores, and how soon they serve: at the first write, after a
// Store was killed, after it was started again. Prints a table for docs/scale.md; exits with 1 when a goal is missed.
// With `--stores 1` a Store is measured alone: what it costs by itself, and its start.
// usage: npm run measure:idle -- [--regions 10000] [--stores 3] [--seconds 120] [--writes 100]
import { parseArgs } from "node:util";
import type { RdbClient } from "@flaredb/rdb-client";
import type { TestStore } from "./cluster.ts";
import { positiveFlag, wholeFlag } from "./flags.ts";
import { type Measured, allMet, renderMeasured } from "./scale/goals.ts";
import { cpuSeconds, residentBytes } from "./scale/process-usage.ts";
import { ScaleCluster } from "./scale/scale-cluster.ts";
import { pause } from "./wait.ts";

/** With fewer Stores nothing serves while one is away. */
const QUORUM_MIN_STORES = 3;
/** Writes in flight to the Regions of a Store that died. */
const WRITE_CONCURRENCY = 128;
const PUT_DEADLINE_MS = 60_000;
/** Until a Store has told PD of everything, and has given back the memory of its start. */
const SETTLE_MS = 20_000;
const VALUE = new Uint8Array(256);

const { values: flags } = parseArgs({
  options: {
    regions: { type: "string", default: "10000" },
    stores: { type: "string", default: "3" },
    seconds: { type: "string", default: "120" },
    writes: { type: "string", default: "100" },
  },
});
const regionCount = wholeFlag("regions", flags.regions);
const storeCount = wholeFlag("stores", flags.stores);
const writeCount = Math.min(regionCount, wholeFlag("writes", flags.writes, 0));
const restSeconds = positiveFlag("seconds", flags.seconds);

const startedMs = performance.now();
const measured: Measured[] = [];
/** Of both Stores that were killed. */
const servingSeconds: number[] = [];
const asleepAgainSeconds: number[] = [];
const scale = await ScaleCluster.start({ regionCount, storeCount });
try {
  note(`every Region has a leader`);
  measured.push({ what: "first start, until all lead", unit: "s", values: [secondsSince(startedMs)] });
  await scale.allAsleep();
  note("the Regions sleep");
  await measureRest();
  await measureFirstWrites();
  await scale.allAsleep();
  if (storeCount >= QUORUM_MIN_STORES) {
    // While each leads a third; the second one leads more, what the first one led among it.
    await measureLossUnderWrites(scale.stores[0] as TestStore);
    await measureLossByThemselves(scale.stores[1] as TestStore);
  } else {
    const store = scale.stores[0] as TestStore;
    await store.kill();
    await restart(store);
  }
  measured.push(
    {
      what: "start of a killed Store, until it serves",
      unit: "s",
      values: servingSeconds,
      goal: { worst: 10 },
    },
    { what: "start of a killed Store, until the Regions sleep again", unit: "s", values: asleepAgainSeconds },
  );
} finally {
  for (const end of scale.cluster.unexpectedEnds()) {
    console.error(end);
    process.exitCode = 1;
  }
  await scale.cluster.dispose();
}
console.log(
  renderMeasured(`${regionCount.toLocaleString("en")} Regions on each of ${storeCount} Stores`, measured),
);
process.exitCode ??= allMet(measured) ? 0 : 1;

async function measureRest(): Promise<void> {
  await pause(SETTLE_MS);
  const pids = scale.stores.map(({ pid }) => pid as number);
  const before = pids.map(cpuSeconds);
  await pause(restSeconds * 1000);
  const percent = pids.map((pid, at) => (100 * (cpuSeconds(pid) - (before[at] as number))) / restSeconds);
  measured.push(
    { what: "processor of a Store at rest", unit: "% of a core", values: percent, goal: { worst: 5 } },
    {
      what: "resident memory of a Store at rest",
      unit: "MiB",
      values: pids.map((pid) => residentBytes(pid) / 2 ** 20),
      goal: { worst: 600 },
    },
  );
  note(`at rest: ${percent.map((part) => `${part.toFixed(1)} %`).join(", ")} of a core`);
}

/** One after the other, each to another Region, by a client that has seen none of them. */
async function measureFirstWrites(): Promise<void> {
  const client = await scale.cluster.connect();
  const took: number[] = [];
  for (let count = 0; count < writeCount; count++) {
    const place = Math.floor((count * regionCount) / writeCount);
    const begunMs = performance.now();
    await client.put(scale.keyIn(place), VALUE);
    // The first of a client opens its connections.
    if (count >= scale.stores.length) {
      took.push(performance.now() - begunMs);
    }
  }
  measured.push({ what: "first write to a sleeping Region", unit: "ms", values: took, goal: { worst: 100 } });
  note("first writes are answered");
}

/** Nobody writes: the Regions find out by themselves. */
async function measureLossByThemselves(victim: TestStore): Promise<void> {
  const led = await scale.ledBy(victim);
  await victim.kill();
  const killedMs = performance.now();
  note(`${victim.plan.name}, which led ${led.length} Regions, is killed`);
  await scale.allLed();
  measured.push({
    what: `Store killed that led ${led.length}: until all are led again`,
    unit: "s",
    values: [secondsSince(killedMs)],
    goal: { worst: 10 },
  });
  note("all are led again");
  await restart(victim);
}

/** Every Region that the Store led is written to from the moment on that it is killed. */
async function measureLossUnderWrites(victim: TestStore): Promise<void> {
  const client = await scale.cluster.connect();
  const led = await scale.ledBy(victim);
  await victim.kill();
  const killedMs = performance.now();
  note(`${victim.plan.name}, which led ${led.length} Regions, is killed, and all of them are written to`);
  const servedSeconds = await writeToAll(client, led, killedMs);
  measured.push({
    what: `Store killed that led ${led.length}: until a write to each is answered`,
    unit: "s",
    values: servedSeconds,
    goal: { worst: 10 },
  });
  await restart(victim);
}

async function writeToAll(client: RdbClient, places: readonly number[], sinceMs: number): Promise<number[]> {
  const waiting = places.values();
  const seconds: number[] = [];
  const write = async (): Promise<void> => {
    for (const place of waiting) {
      await client.put(scale.keyIn(place), VALUE, { deadlineMs: PUT_DEADLINE_MS });
      seconds.push(secondsSince(sinceMs));
    }
  };
  await Promise.all(Array.from({ length: WRITE_CONCURRENCY }, write));
  return seconds;
}

async function restart(store: TestStore): Promise<void> {
  const begunMs = performance.now();
  await store.launch();
  servingSeconds.push(secondsSince(begunMs));
  await scale.allUp();
  await scale.allLed();
  await scale.allAsleep();
  asleepAgainSeconds.push(secondsSince(begunMs));
  note(`${store.plan.name} is back, and the Regions sleep`);
}

function secondsSince(sinceMs: number): number {
  return (performance.now() - sinceMs) / 1000;
}

function note(text: string): void {
  const memory = scale.stores
    .filter(({ pid }) => pid !== undefined)
    .map(({ pid }) => `${(residentBytes(pid as number) / 2 ** 20).toFixed(0)} MiB`);
  console.error(`${secondsSince(startedMs).toFixed(1).padStart(7)} s  ${text} (${memory.join(", ")})`);
}

// `npm run demo:elastic`: a cluster that begins with one Store and one Region is written to while Stores join, one is
// killed for good and one is decommissioned. Prints a timeline; exits with 1 unless at the end every Region has three
// live peers, Regions and leaders are even, no write failed and every acknowledged write is there.
// usage: npm run demo:elastic -- [--bytes 2GiB] [--value-bytes 16384] [--concurrency 32]
import { parseArgs } from "node:util";
import type { TestStore } from "./cluster.ts";
import { ElasticCluster } from "./elastic/elastic-cluster.ts";
import { parseBytes } from "./elastic/parse-bytes.ts";
import { RowWriter } from "./elastic/row-writer.ts";
import { SeededRows } from "./elastic/seeded-rows.ts";
import { Timeline } from "./elastic/timeline.ts";
import { few, lostRows, unevenCounts, unhealedRegions, unrest } from "./elastic/verdict.ts";
import { wholeFlag } from "./flags.ts";
import { waitFor } from "./wait.ts";

const SEED = 20_260_101;
const MAX_STORE_DOWN_TIME_MS = 10_000;
/** Longer than this nothing may take that PD does by itself. */
const PATIENCE_MS = 15 * 60_000;
/** PD is at rest when nothing was to be done for this long. */
const REST_MS = 10_000;
const CALL_TIMEOUT_MS = 5_000;
/** Of a put. Seven processes share the machine's cores here: a Region may be without a leader longer than elsewhere. */
const PUT_DEADLINE_MS = 30_000;

const { values: flags } = parseArgs({
  options: {
    bytes: { type: "string", default: "2GiB" },
    "value-bytes": { type: "string", default: "16384" },
    "region-split-size": { type: "string", default: "32MiB" },
    concurrency: { type: "string", default: "32" },
  },
});

const concurrency = wholeFlag("concurrency", flags.concurrency);
const rows = new SeededRows(SEED, wholeFlag("value-bytes", flags["value-bytes"]));
const rowMaxCount = Math.ceil(parseBytes(flags.bytes) / rows.valueBytes);

const cluster = await ElasticCluster.start({
  bootstrapStores: 1,
  pdConfig: { placement: { maxStoreDownTimeMs: MAX_STORE_DOWN_TIME_MS } },
  storeConfig: { regionSplitSizeBytes: parseBytes(flags["region-split-size"]) },
});
try {
  const client = await cluster.connect();
  const writer = new RowWriter(client, rows, {
    concurrency,
    rowMaxCount,
    deadlineMs: PUT_DEADLINE_MS,
  });
  const timeline = new Timeline(cluster, writer);
  timeline.event(
    `one Store and one Region; ${rowMaxCount.toLocaleString("en")} puts of ${rows.valueBytes} bytes begin`,
  );
  timeline.event(`to look at it: npx rdb operator list --pd ${cluster.pdAddress}`);
  timeline.start();
  try {
    await change(writer, timeline);
    await writer.done;
    timeline.event(`all ${writer.begunCount.toLocaleString("en")} puts are answered`);
    await rest(timeline);
  } finally {
    await writer.stop();
    await timeline.stop();
  }
  process.exitCode = (await judge(writer)) ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(cluster.unexpectedEnds().join("\n"));
  process.exitCode = 1;
} finally {
  const hasFailed = process.exitCode === 1;
  const folder = await cluster.dispose(hasFailed);
  if (hasFailed) {
    console.log(`  the logs of all processes are in ${folder}`);
  }
}

/**
 * What happens to the cluster, each at its part of the bytes written. Of four Stores two go, and three peers need three
 * Stores: so each that goes is followed by a new one.
 */
async function change(writer: RowWriter, timeline: Timeline): Promise<void> {
  const join = async (): Promise<void> => {
    const store = await cluster.addStore();
    timeline.event(`${store.plan.name} joins as Store ${await cluster.idOf(store)}`);
  };
  const steps: readonly (readonly [number, () => Promise<void>])[] = [
    [0.05, join],
    [0.1, join],
    [0.15, join],
    [0.4, () => killForGood(timeline)],
    [0.5, join],
    [0.6, join],
    [0.65, () => decommission(timeline)],
  ];
  for (const [part, step] of steps) {
    await waitFor(`${part * 100} % of the puts`, PATIENCE_MS, () => writer.begunCount >= part * rowMaxCount);
    await step();
  }
}

async function killForGood(timeline: Timeline): Promise<void> {
  // With two peers of three on one Store, or one of two, its loss would cost more than a quorum can bear.
  await waitFor("three live peers of each Region", PATIENCE_MS, async () => {
    return unhealedRegions(await cluster.look()).length === 0;
  });
  const victim = cluster.stores[1] as TestStore;
  const id = await cluster.idOf(victim);
  await victim.kill();
  timeline.event(`kill -9 of ${victim.plan.name} (Store ${id}), for good`);
}

async function decommission(timeline: Timeline): Promise<void> {
  const leaving = cluster.stores[0] as TestStore;
  const storeId = await cluster.idOf(leaving);
  const end = leaving.ends();
  await cluster.admin.decommissionStore({ storeId }, { timeoutMs: CALL_TIMEOUT_MS });
  timeline.event(`${leaving.plan.name} (Store ${storeId}), the first one, is being decommissioned`);
  await waitFor(`Store ${storeId} empty and its process gone`, PATIENCE_MS, () => !leaving.isRunning);
  timeline.event(`${leaving.plan.name} (Store ${storeId}) is empty, and has ended: exit code ${await end}`);
}

/** Waits until PD has had nothing to do for a while. */
async function rest(timeline: Timeline): Promise<void> {
  let restingSinceMs = performance.now();
  let problems: readonly string[] = [];
  try {
    await waitFor("a placement driver at rest", PATIENCE_MS, async () => {
      const look = await cluster.look();
      problems = unrest(look);
      if (problems.length > 0) {
        restingSinceMs = performance.now();
      }
      return performance.now() - restingSinceMs > REST_MS;
    });
    timeline.event(`the placement driver has been at rest for ${REST_MS / 1000} s`);
  } catch (error) {
    throw new Error(`no rest: ${few(problems)}`, { cause: error });
  }
}

/** Prints what holds and what does not. */
async function judge(writer: RowWriter): Promise<boolean> {
  const look = await cluster.look();
  console.log("\nreading everything back");
  const lost = await lostRows(await cluster.connect(), writer);
  const verdicts: readonly (readonly [string, readonly string[]])[] = [
    [`each of ${look.regions.length} Regions has three live peers`, unhealedRegions(look)],
    ["Regions and leaders are within 10 % of even", unevenCounts(look)],
    [`0 of ${writer.begunCount} writes failed at the client`, writer.failures],
    [`all ${writer.acknowledgedCount} acknowledged writes are there`, lost],
    ["no process ended but the ones that were killed", cluster.unexpectedEnds()],
  ];
  for (const [what, problems] of verdicts) {
    console.log(problems.length === 0 ? `  ok      ${what}` : `  FAILED  ${what}: ${few(problems)}`);
  }
  console.log(
    `  longest gap between acknowledged writes: ${writer.longestGapMs.toFixed(0)} ms; ` +
      `the slowest one took ${(writer.slowestMs / 1000).toFixed(1)} s`,
  );
  return verdicts.every(([, problems]) => problems.length === 0);
}

import type { TestStore } from "../cluster.ts";
import { pause, waitFor } from "../wait.ts";
import { ElasticCluster } from "./elastic-cluster.ts";
import { type Figure, describeWindow, successRate } from "./report.ts";
import { RowWriter } from "./row-writer.ts";
import { SeededRows } from "./seeded-rows.ts";
import { unhealedRegions } from "./verdict.ts";

const MAX_STORE_DOWN_TIME_MS = 10_000;
const FILL_BYTES = 96 * 2 ** 20;
const FILL_VALUE_BYTES = 16 * 2 ** 10;
const REGION_SPLIT_BYTES = 8 * 2 ** 20;
const LOAD_VALUE_BYTES = 256;
const ROW_MAX_COUNT = 5_000_000;
const BASELINE_MS = 10_000;
const HEAL_TIMEOUT_MS = 300_000;

/** Kills one of four Stores for good while the cluster is written to. */
export async function measureLoss(): Promise<Figure[]> {
  const cluster = await ElasticCluster.start({
    bootstrapStores: 4,
    pdConfig: { placement: { maxStoreDownTimeMs: MAX_STORE_DOWN_TIME_MS } },
    storeConfig: { regionSplitSizeBytes: REGION_SPLIT_BYTES, splitQps: 0 },
  });
  try {
    const client = await cluster.connect();
    const fill = new RowWriter(client, new SeededRows(1, FILL_VALUE_BYTES), {
      concurrency: 16,
      rowMaxCount: FILL_BYTES / FILL_VALUE_BYTES,
    });
    await fill.done;
    await whole(cluster);
    const writer = new RowWriter(client, new SeededRows(2, LOAD_VALUE_BYTES), {
      concurrency: 16,
      rowMaxCount: ROW_MAX_COUNT,
    });
    await pause(BASELINE_MS);
    const before = writer.takeWindow();
    const { regions } = await cluster.look();
    const victim = cluster.stores[1] as TestStore;
    const victimId = await cluster.idOf(victim);
    const hit = regions.filter(({ region }) => region?.peers.some(({ storeId }) => storeId === victimId));
    const startedMs = performance.now();
    await victim.kill();
    await waitFor(
      "PD noticing",
      HEAL_TIMEOUT_MS,
      async () => unhealedRegions(await cluster.look()).length > 0,
    );
    await whole(cluster);
    const seconds = (performance.now() - startedMs) / 1000;
    const during = writer.takeWindow();
    await writer.stop();
    return [
      { what: "Regions, and how many had a peer there", value: `${regions.length}, ${hit.length}` },
      { what: "seconds from the kill until each Region has three live peers", value: seconds.toFixed(1) },
      {
        what: "of these, waited for the Store to come back",
        value: (MAX_STORE_DOWN_TIME_MS / 1000).toFixed(0),
      },
      { what: "writes that succeeded", value: successRate(writer.begunCount, writer.failures.length) },
      { what: "writes before", value: describeWindow(before) },
      { what: "writes until all is whole", value: describeWindow(during) },
    ];
  } finally {
    await cluster.dispose();
  }
}

/** Waits until each Region has three live peers, and PD has nothing more to do. */
async function whole(cluster: ElasticCluster): Promise<void> {
  await waitFor("three live peers of each Region", HEAL_TIMEOUT_MS, async () => {
    const look = await cluster.look();
    return look.operatorCount === 0 && unhealedRegions(look).length === 0;
  });
}

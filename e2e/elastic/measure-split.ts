import { pause, waitFor } from "../wait.ts";
import { ElasticCluster } from "./elastic-cluster.ts";
import { type Figure, describeWindow, p99, successRate } from "./report.ts";
import { RowWriter, percentile } from "./row-writer.ts";
import { SeededRows } from "./seeded-rows.ts";

const SPLITS = 50;
const BASELINE_MS = 15_000;
const BETWEEN_SPLITS_MS = 250;
const SPLIT_TIMEOUT_MS = 20_000;
const VALUE_BYTES = 256;
const ROW_MAX_COUNT = 5_000_000;
const CALL_TIMEOUT_MS = 5_000;
const LARGE_BYTES = 64 * 2 ** 30;

/**
 * Splits Regions of a cluster of three Stores at given keys while it is written to: how long it takes from asking PD
 * until PD routes to the new Region and knows its leader, and what writes feel of it.
 */
export async function measureSplits(): Promise<Figure[]> {
  const cluster = await ElasticCluster.start({
    bootstrapStores: 3,
    // Only the splits that are asked for: no leadership moves, no Region is split by size or load.
    pdConfig: { placement: { leaderLimit: 0, regionLimit: 0, hotRegionLimit: 0 } },
    storeConfig: { regionSplitSizeBytes: LARGE_BYTES, splitQps: 0 },
  });
  try {
    const writer = new RowWriter(await cluster.connect(), new SeededRows(1, VALUE_BYTES), {
      concurrency: 16,
      rowMaxCount: ROW_MAX_COUNT,
    });
    await pause(BASELINE_MS / 3);
    writer.takeWindow();
    await pause(BASELINE_MS);
    const before = writer.takeWindow();
    const timesMs: number[] = [];
    for (let at = 1; at <= SPLITS; at++) {
      timesMs.push(await splitOnce(cluster, keyAt(at)));
      await pause(BETWEEN_SPLITS_MS);
    }
    const during = writer.takeWindow();
    await pause(BASELINE_MS);
    const after = writer.takeWindow();
    await writer.stop();
    const sorted = Float64Array.from(timesMs).sort();
    return [
      {
        what: "from trigger to PD's registration, median",
        value: `${percentile(sorted, 0.5).toFixed(0)} ms`,
      },
      { what: `the same, worst of ${SPLITS}`, value: `${sorted.at(-1)?.toFixed(0)} ms` },
      { what: "writes that succeeded", value: successRate(writer.begunCount, writer.failures.length) },
      { what: "writes before", value: describeWindow(before) },
      { what: `writes during ${SPLITS} splits`, value: describeWindow(during) },
      { what: `writes after, to ${SPLITS + 1} Regions`, value: describeWindow(after) },
      { what: "added p99", value: `${(p99(during) - p99(before)).toFixed(1)} ms` },
    ];
  } finally {
    await cluster.dispose();
  }
}

/** Asks PD for the split, and PD's map until it has the new Region with its leader. */
async function splitOnce(cluster: ElasticCluster, key: Uint8Array): Promise<number> {
  const options = { timeoutMs: CALL_TIMEOUT_MS };
  const { route } = await cluster.pd.getRegion({ key }, options);
  const regionId = route?.region?.id ?? 0n;
  const startedMs = performance.now();
  await cluster.admin.splitRegionAt({ regionId, keys: [key] }, options);
  await waitFor(`the Region that begins at ${Buffer.from(key).toString()}`, SPLIT_TIMEOUT_MS, async () => {
    const { route: now } = await cluster.pd.getRegion({ key }, options);
    return Buffer.compare(now?.region?.startKey ?? new Uint8Array(), key) === 0 && now?.leader !== undefined;
  });
  return performance.now() - startedMs;
}

/** Split keys in an order that always cuts a large Region: 1/2, 1/4, 3/4, 1/8 … of the written keys. */
function keyAt(at: number): Uint8Array {
  const level = 31 - Math.clz32(at);
  const place = (2 * (at - (1 << level)) + 1) / (1 << (level + 1));
  return new TextEncoder().encode(
    Math.floor(place * 2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  );
}

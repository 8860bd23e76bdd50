import { OperatorState } from "@flaredb/rdb-proto";
import { pause, waitFor } from "../wait.ts";
import { ElasticCluster } from "./elastic-cluster.ts";
import { type Figure, describeWindow, p99, successRate } from "./report.ts";
import { RowWriter } from "./row-writer.ts";
import { SeededRows } from "./seeded-rows.ts";

const REGION_BYTES = 96 * 2 ** 20;
const FILL_VALUE_BYTES = 16 * 2 ** 10;
const LOAD_VALUE_BYTES = 256;
const ROW_MAX_COUNT = 5_000_000;
const BASELINE_MS = 10_000;
const MOVE_TIMEOUT_MS = 180_000;
const CALL_TIMEOUT_MS = 5_000;
const LARGE_BYTES = 64 * 2 ** 30;

/** Moves a Region of 96 MiB to a fourth Store while it is written to. */
export async function measureMove(): Promise<Figure[]> {
  const cluster = await ElasticCluster.start({
    bootstrapStores: 3,
    // Nothing but the move that is asked for.
    pdConfig: { placement: { regionLimit: 0 } },
    storeConfig: { regionSplitSizeBytes: LARGE_BYTES, splitQps: 0 },
  });
  try {
    const client = await cluster.connect();
    const fill = new RowWriter(client, new SeededRows(1, FILL_VALUE_BYTES), {
      concurrency: 16,
      rowMaxCount: REGION_BYTES / FILL_VALUE_BYTES,
    });
    await fill.done;
    const to = await cluster.addStore();
    const writer = new RowWriter(client, new SeededRows(2, LOAD_VALUE_BYTES), {
      concurrency: 16,
      rowMaxCount: ROW_MAX_COUNT,
    });
    await pause(BASELINE_MS);
    const before = writer.takeWindow();
    const seconds = await move(cluster, await cluster.idOf(to));
    const during = writer.takeWindow();
    await writer.stop();
    return [
      { what: "seconds from the wish to the end", value: seconds.toFixed(1) },
      { what: "writes that succeeded", value: successRate(writer.begunCount, writer.failures.length) },
      { what: "writes before", value: describeWindow(before) },
      { what: "writes during the move", value: describeWindow(during) },
      { what: "added p99", value: `${(p99(during) - p99(before)).toFixed(1)} ms` },
    ];
  } finally {
    await cluster.dispose();
  }
}

/** Moves a follower's peer of the one Region, and waits until the operator is done. */
async function move(cluster: ElasticCluster, toStoreId: bigint): Promise<number> {
  const options = { timeoutMs: CALL_TIMEOUT_MS };
  const { route } = await cluster.pd.getRegion({ key: new Uint8Array() }, options);
  const follower = route?.region?.peers.find((peer) => peer.id !== route.leader?.id);
  const request = { regionId: route?.region?.id ?? 0n, fromStoreId: follower?.storeId ?? 0n, toStoreId };
  const startedMs = performance.now();
  const { operator: begun } = await cluster.admin.movePeer(request, options);
  const ended = await waitFor("the end of the move", MOVE_TIMEOUT_MS, async () => {
    const { operator } = await cluster.admin.getOperator({ operatorId: begun?.id ?? 0n }, options);
    return operator !== undefined && operator.endedMs > 0n ? operator : undefined;
  });
  if (ended.state !== OperatorState.DONE) {
    throw new Error(`the move was not carried out: ${ended.endReason} (${ended.endMessage})`);
  }
  return (performance.now() - startedMs) / 1000;
}

import { RdbError, hasCode } from "@flaredb/rdb-base";
import type { GetClusterInfoResponse, Store } from "@flaredb/rdb-proto";
import { callPd } from "../pd-caller.ts";

const POLL_INTERVAL_MS = 50;
const CALL_TIMEOUT_MS = 2_000;
/** After this the cluster counts as not coming up. */
const READY_TIMEOUT_MS = 60_000;

/**
 * Waits until the cluster serves every key: bootstrapped, all Stores up, each Region with a leader.
 *
 * @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED with what is missing, after a minute; RDB_ABORTED
 */
export async function waitUntilServing(
  pdAddresses: readonly string[],
  storeCount: number,
  signal: AbortSignal,
): Promise<GetClusterInfoResponse> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  let missing = "the placement driver does not answer";
  while (performance.now() < deadlineMs) {
    if (signal.aborted) {
      throw new RdbError("RDB_ABORTED", "the start was interrupted");
    }
    const info = await askPd(pdAddresses);
    if (info !== undefined) {
      missing = missingFor(info, storeCount);
      if (missing === "") {
        return info;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
  throw new RdbError(
    "RDB_CLUSTER_NOT_BOOTSTRAPPED",
    `the cluster is not ready after ${READY_TIMEOUT_MS / 1000} s: ${missing}`,
  );
}

/** The Stores as PD numbers them, which need not be the order of their names: that is the order in which they came. */
export async function registeredStores(pdAddresses: readonly string[]): Promise<Store[]> {
  const { statuses } = await callPd({ pdAddresses, timeoutMs: CALL_TIMEOUT_MS }, (pd, options) =>
    pd.listStores({}, options),
  );
  return statuses.flatMap(({ store }) => (store === undefined ? [] : [store]));
}

async function askPd(pdAddresses: readonly string[]): Promise<GetClusterInfoResponse | undefined> {
  try {
    return await callPd({ pdAddresses, timeoutMs: CALL_TIMEOUT_MS }, (pd, options) =>
      pd.getClusterInfo({}, options),
    );
  } catch (error) {
    if (hasCode(error, "RDB_PD_UNAVAILABLE")) {
      return undefined;
    }
    throw error;
  }
}

/** What keeps the cluster from serving every key; empty: nothing. */
function missingFor(info: GetClusterInfoResponse, storeCount: number): string {
  if (info.upStoreCount < storeCount) {
    return `${info.upStoreCount} of ${storeCount} Stores are up`;
  }
  if (!info.bootstrapped) {
    return "the initial Regions are not placed";
  }
  return info.regionWithLeaderCount < info.regionCount || info.regionCount === 0
    ? `${info.regionWithLeaderCount} of ${info.regionCount} Regions have a leader`
    : "";
}

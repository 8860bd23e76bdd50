import { RdbError, type StoreId } from "@flaredb/rdb-base";
import type { DurableState } from "./cluster/durable-state.ts";
import { goneForGood } from "./cluster/gone-for-good.ts";

/** Who a heartbeat is from. */
export interface Sender {
  readonly clusterId: number;
  readonly storeId: StoreId;
  readonly bootId: bigint;
}

/**
 * Whether a heartbeat is from a Store of this cluster, and from the process that registered last.
 *
 * @throws RdbError RDB_CLUSTER_MISMATCH; RDB_NOT_FOUND for a Store that never registered; RDB_STORE_DECOMMISSIONED,
 * RDB_STORE_LOST or RDB_DATA_FOREIGN for one that is gone for good; RDB_STORE_NOT_MATCH when another process of the Store registered
 * since, or another Store at its address: it has to register again
 */
export function checkSender(state: DurableState, { clusterId, storeId, bootId }: Sender): void {
  checkCluster(state, clusterId, storeId);
  const store = state.stores.get(storeId);
  if (store === undefined) {
    throw new RdbError("RDB_NOT_FOUND", `store ${storeId} is not registered`, { details: { storeId } });
  }
  if (store.isTombstone || store.isLost === true) {
    throw goneForGood(store);
  }
  if (store.bootId !== bootId) {
    throw new RdbError(
      "RDB_STORE_NOT_MATCH",
      `store ${storeId} was registered by another process since: two processes must not share its data`,
      { details: { storeId } },
    );
  }
  if (store.address === "") {
    throw new RdbError(
      "RDB_STORE_NOT_MATCH",
      `store ${storeId} was silent, and another store registered at its address: register again`,
      { details: { storeId } },
    );
  }
}

/** @throws RdbError RDB_CLUSTER_MISMATCH */
export function checkCluster(state: DurableState, clusterId: number, storeId: StoreId | undefined): void {
  const expected = state.cluster.clusterId;
  if (clusterId !== expected) {
    const who = storeId === undefined ? "the store" : `store ${storeId}`;
    throw new RdbError(
      "RDB_CLUSTER_MISMATCH",
      `${who} belongs to cluster ${clusterId}, this is cluster ${expected}: point it at its own placement driver, or start it with an empty data folder`,
      { details: { clusterId, expected } },
    );
  }
}

import { RdbError } from "@flaredb/rdb-base";
import type { DurableState } from "../cluster/durable-state.ts";
import type { CommandOf, CommandResults } from "./command.ts";

/**
 * Raises the cluster version; one that the cluster has reached already changes nothing.
 *
 * @throws RdbError RDB_CLUSTER_VERSION when a Store, or another process of one, has registered since it was proposed:
 * nobody has asked that one
 */
export function setClusterVersion(
  state: DurableState,
  { version, stores }: CommandOf<"SetClusterVersion">,
): CommandResults["SetClusterVersion"] {
  if (version <= state.clusterVersion) {
    return { version: state.clusterVersion };
  }
  const said = new Map(stores.map(({ storeId, bootId }) => [storeId, bootId]));
  const present = [...state.stores.values()].filter(({ isTombstone }) => !isTombstone);
  const unasked = present.find(({ id, bootId }) => said.get(id) !== bootId);
  if (unasked !== undefined) {
    throw new RdbError(
      "RDB_CLUSTER_VERSION",
      `store ${unasked.id} has registered since version ${version} was proposed`,
      { details: { storeId: unasked.id, version } },
    );
  }
  state.clusterVersion = version;
  for (const store of present) {
    state.putStore({ ...store, clusterVersion: Math.max(store.clusterVersion, version) });
  }
  return { version };
}

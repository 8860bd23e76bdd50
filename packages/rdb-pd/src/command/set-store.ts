import { RdbError, type StoreId } from "@flaredb/rdb-base";
import type { DurableState } from "../cluster/durable-state.ts";
import { type StoreInfo, withAdminLabels } from "../cluster/store-info.ts";
import type { CommandOf, CommandResults } from "./command.ts";

/** @throws RdbError RDB_NOT_FOUND for a Store that is not there, or gone for good */
export function setStore(state: DurableState, command: CommandOf<"SetStore">): CommandResults["SetStore"] {
  const known = presentStore(state, command.storeId);
  const adminLabels = { ...known.adminLabels, ...command.labels };
  const store: StoreInfo = {
    ...known,
    isDraining: command.isDraining ?? known.isDraining,
    evictsLeaders: command.evictsLeaders ?? known.evictsLeaders,
    adminLabels,
    labels: withAdminLabels(known.labels, adminLabels),
  };
  state.putStore(store);
  return { store };
}

/**
 * @throws RdbError RDB_NOT_FOUND as `setStore`; RDB_INVALID_ARGUMENT when it is not to be emptied any more, or a Region
 * has a peer on it still
 */
export function buryStore(state: DurableState, command: CommandOf<"BuryStore">): CommandResults["BuryStore"] {
  const known = presentStore(state, command.storeId);
  if (!known.isDraining) {
    throw new RdbError("RDB_INVALID_ARGUMENT", `store ${known.id} is not being decommissioned`);
  }
  const region = state.regions.all().find(({ peers }) => peers.some(({ storeId }) => storeId === known.id));
  if (region !== undefined) {
    throw new RdbError("RDB_INVALID_ARGUMENT", `store ${known.id} has a peer of region ${region.id} still`);
  }
  const store: StoreInfo = { ...known, isTombstone: true };
  state.putStore(store);
  return { store };
}

function presentStore(state: DurableState, id: StoreId): StoreInfo {
  const store = state.stores.get(id);
  if (store === undefined || store.isTombstone) {
    throw new RdbError(
      "RDB_NOT_FOUND",
      `store ${id} ${store === undefined ? "is not known" : "is gone for good"}`,
      {
        details: { storeId: id },
      },
    );
  }
  return store;
}

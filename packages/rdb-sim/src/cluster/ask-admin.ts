import type { Client } from "@connectrpc/connect";
import { type Region, type StoreId, compareKeys, keyInRange } from "@flaredb/rdb-base";
import type { PdAdminService } from "@flaredb/rdb-proto";
import { assertNever } from "@flaredb/rdb-base";
import type { AdminAction } from "../faults/elastic-action.ts";

type AdminClient = Client<typeof PdAdminService>;

/** What an administrator sees of the cluster. */
export interface AdminView {
  /** As PD has them. */
  readonly regions: readonly Region[];
  /** Stores that take part, in no order. */
  readonly storeIds: readonly StoreId[];
}

/** How long a command may take to be taken or refused. */
const CALL_TIMEOUT_MS = 2_000;

/**
 * Asks the placement driver for something. What it begins goes on after this.
 *
 * @returns undefined when the cluster has nothing that the action could be about
 */
export function askAdmin(
  client: AdminClient,
  action: AdminAction,
  view: AdminView,
): Promise<unknown> | undefined {
  const region = view.regions.find((one) => keyInRange(Buffer.from(action.key), one));
  if (region === undefined) {
    return undefined;
  }
  const options = { timeoutMs: CALL_TIMEOUT_MS };
  const regionId = BigInt(region.id);
  const here = region.peers.map(({ storeId }) => storeId);
  const elsewhere = view.storeIds.filter((id) => !here.includes(id));
  switch (action.kind) {
    case "split-region": {
      const at = Buffer.from(action.at);
      const isInside = keyInRange(at, region) && compareKeys(at, region.startKey) !== 0;
      const cuts = isInside ? { keys: [at] } : { partCount: action.parts };
      return client.splitRegionAt({ regionId, ...cuts }, options);
    }
    case "move-peer": {
      const [fromStoreId, toStoreId] = [at(here, action.from), at(elsewhere, action.to)];
      return fromStoreId === undefined || toStoreId === undefined
        ? undefined
        : client.movePeer({ regionId, fromStoreId, toStoreId }, options);
    }
    case "add-peer": {
      const storeId = at(elsewhere, action.to);
      return storeId === undefined ? undefined : client.addPeer({ regionId, storeId }, options);
    }
    case "remove-peer": {
      const storeId = at(here, action.from);
      return storeId === undefined ? undefined : client.removePeer({ regionId, storeId }, options);
    }
    case "lead-by": {
      const toStoreId = at(here, action.to);
      return toStoreId === undefined
        ? undefined
        : client.transferRegionLeader({ regionId, toStoreId }, options);
    }
    case "scatter":
      return client.scatterRegions({ regionIds: [regionId] }, options);
    case "merge-region":
      return client.mergeRegions({ regionId }, options);
    case "check-region":
      return client.checkReplicas({ regionId }, options);
    default:
      return assertNever(action, "action");
  }
}

function at(ids: readonly StoreId[], place: number): bigint | undefined {
  const id = ids.toSorted((a, b) => a - b)[place % Math.max(1, ids.length)];
  return id === undefined ? undefined : BigInt(id);
}

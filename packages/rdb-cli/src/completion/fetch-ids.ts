import { assertNever } from "@flaredb/rdb-base";
import { fetchRegions } from "../commands/region/fetch-regions.ts";
import type { Globals } from "../globals.ts";
import type { IdKind } from "./completion-tree.ts";

/** Whoever waits for a list of ids has a key under the finger: no answer is better than a late one. */
const IDS_TIMEOUT_MS = 1_000;
/** More would fill the screen. */
const IDS_MAX_COUNT = 500;

/**
 * The ids of what the cluster has, for completions.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE, within a second
 */
export async function fetchIds(globals: Globals, kind: IdKind): Promise<string[]> {
  const ids = await idsOf({ ...globals, timeoutMs: IDS_TIMEOUT_MS }, kind);
  return ids.slice(0, IDS_MAX_COUNT);
}

async function idsOf(globals: Globals, kind: IdKind): Promise<string[]> {
  const { callPd, callPdAdmin } = await import("../pd-caller.ts");
  switch (kind) {
    case "store": {
      const { statuses } = await callPd(globals, (pd, options) => pd.listStores({}, options));
      return statuses.flatMap(({ store }) => (store === undefined ? [] : [String(store.id)]));
    }
    case "region":
      return (await fetchRegions(globals)).flatMap(({ region }) => (region ? [String(region.id)] : []));
    case "operator": {
      const { operators } = await callPdAdmin(globals, (pd, options) => pd.listOperators({}, options));
      return operators.map(({ id }) => String(id));
    }
    case "scheduler": {
      const { schedulers } = await callPdAdmin(globals, (pd, options) => pd.listSchedulers({}, options));
      return schedulers.map(({ name }) => name);
    }
    case "member": {
      const { members } = await callPd(globals, (pd, options) => pd.getClusterInfo({}, options));
      return members.map(({ id }) => String(id));
    }
    default:
      return assertNever(kind, "kind of id");
  }
}

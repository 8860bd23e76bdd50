import { StoreState } from "@flaredb/rdb-proto";
import { fetchRegions } from "../commands/region/fetch-regions.ts";
import type { Globals } from "../globals.ts";
import { askHealth } from "./ask-health.ts";
import type { ClusterFacts } from "./facts.ts";

/**
 * Asks PD for what it knows, and then each process for its health, all at once.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE
 */
export async function gatherFacts(globals: Globals): Promise<ClusterFacts> {
  const { callPd, callPdAdmin } = await import("../pd-caller.ts");
  const info = await callPd(globals, (pd, options) => pd.getClusterInfo({}, options));
  const { statuses } = await callPd(globals, (pd, options) => pd.listStores({}, options));
  const { settings } = await callPdAdmin(globals, (pd, options) => pd.getPlacementConfig({}, options));
  const routes = info.bootstrapped ? await fetchRegions(globals) : [];
  const processes = [
    ...info.members.map(({ name, httpAddress }) => ({ name: `PD member ${name}`, httpAddress })),
    ...statuses.flatMap(({ store }) =>
      store === undefined || store.state === StoreState.TOMBSTONE
        ? []
        : [{ name: `Store ${store.id}`, httpAddress: store.httpAddress }],
    ),
  ].filter(({ httpAddress }) => httpAddress !== "");
  const replicas = Number(settings.find(({ name }) => name === "replicas")?.value);
  return {
    info,
    stores: statuses,
    routes,
    replicaCount: Number.isSafeInteger(replicas) ? replicas : undefined,
    processes: await Promise.all(processes.map((process) => askHealth(process, globals))),
  };
}

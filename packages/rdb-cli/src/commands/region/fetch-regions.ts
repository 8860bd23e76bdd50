import type { RegionRoute } from "@flaredb/rdb-proto";
import type { Globals } from "../../globals.ts";

/** All Regions that PD knows, in the order of their keys. */
export async function fetchRegions(globals: Globals): Promise<RegionRoute[]> {
  const { callPd } = await import("../../pd-caller.ts");
  const routes: RegionRoute[] = [];
  let startKey: Uint8Array = new Uint8Array();
  do {
    const request = { startKey };
    const page = await callPd(globals, (pd, options) => pd.listRegions(request, options));
    routes.push(...page.routes);
    startKey = page.nextKey;
  } while (startKey.length > 0);
  return routes;
}

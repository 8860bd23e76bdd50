import { setImmediate } from "node:timers/promises";
import type { RegionRoute } from "@flaredb/rdb-proto";
import type { ApiSource } from "./endpoint.ts";

/**
 * Walks the Regions in the order of their keys, from the one that holds the key on, a page at a time. Others get their
 * turn between pages, so what it sees is no single moment.
 *
 * @param visit false: that was enough
 * @returns where the next page would begin; undefined: there is none
 */
export async function eachRegionPage(
  calls: ApiSource["calls"],
  startKey: Uint8Array,
  visit: (routes: readonly RegionRoute[]) => unknown,
): Promise<Uint8Array | undefined> {
  for (let from: Uint8Array = startKey; ; ) {
    const { routes, nextKey } = await calls.pd.listRegions({ startKey: from });
    const isEnough = visit(routes) === false;
    if (nextKey.length === 0) {
      return undefined;
    }
    if (isEnough) {
      return nextKey;
    }
    from = nextKey;
    await setImmediate();
  }
}

import type { RegionId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import type { PlacementView } from "../placement-view.ts";
import { heats, isHot } from "./heat.ts";

/** Regions looked at in one turn, in the search for hot ones. */
const SCAN_MAX_COUNT = 20_000;
/** Hot Regions that are remembered. */
const HOT_MAX_COUNT = 10_000;

/** Which Regions are hot, found by walking over the Stores' leaders, some in each turn. */
export class HotRegions {
  readonly #ids = new Set<RegionId>();
  /** The place, among the Stores, of the one that is next. */
  #nextStore = 0;

  /** Looks at the leaders of the next Stores, at one at least. */
  scan(view: PlacementView): void {
    for (const id of this.#ids) {
      const info = view.region(id);
      if (info === undefined || !isAnyHot(info, view)) {
        this.#ids.delete(id);
      }
    }
    const stores = view.stores();
    let count = 0;
    for (let turn = 0; turn < stores.length && count < SCAN_MAX_COUNT; turn++) {
      const store = stores[this.#nextStore % stores.length];
      this.#nextStore = (this.#nextStore + 1) % stores.length;
      for (const info of store === undefined ? [] : view.regionsLedBy(store.id)) {
        count += 1;
        if (isAnyHot(info, view) && this.#ids.size < HOT_MAX_COUNT) {
          this.#ids.add(info.region.id);
        }
      }
    }
  }

  /** Those found so far that are hot still, as they are now. */
  *all(view: PlacementView): Iterable<RegionInfo> {
    for (const id of this.#ids) {
      const info = view.region(id);
      if (info !== undefined && isAnyHot(info, view)) {
        yield info;
      }
    }
  }
}

function isAnyHot(info: RegionInfo, { config }: PlacementView): boolean {
  return heats.some((heat) => isHot(info, heat, config));
}

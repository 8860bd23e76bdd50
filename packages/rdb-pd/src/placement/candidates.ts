import type { Peer, StoreId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { RuledOut } from "./decision.ts";
import { isolationScore } from "./filter/location.ts";
import { hasPeer, leaderFilters, newPeerFilters } from "./filter/store-filters.ts";
import { passes, sift } from "./filter/store-filter.ts";
import type { PlacementStore, PlacementView } from "./placement-view.ts";
import type { StepPorts } from "./steps/steps-towards.ts";
import { StoreWeights, byWeight, leaderWeight } from "./store-weights.ts";

export interface Choice {
  /** Undefined: every Store was ruled out. */
  readonly store: PlacementStore | undefined;
  /** Its distance from those who stay; 0 without a Store. */
  readonly isolation: number;
  readonly ruledOut: readonly RuledOut[];
}

/** The best Store for a new peer of the Region: furthest from the peers that stay, then least loaded. */
export function chooseStore(info: RegionInfo, view: PlacementView, leaving?: Peer): Choice {
  const stores = view.stores();
  const { fits, ruledOut } = sift(stores, [hasPeer(info.region), ...newPeerFilters(view.config)]);
  const staying = storesOf(info, view).filter(({ id }) => id !== leaving?.storeId);
  const scored = fits.map((store) => ({
    store,
    isolation: isolationScore(store, staying, view.config.locationLabels),
  }));
  const isolation = scored.reduce((best, each) => Math.max(best, each.isolation), 0);
  const weights = new StoreWeights(stores);
  const furthest = scored.filter((each) => each.isolation === isolation).map(({ store }) => store);
  return { store: byWeight(furthest, (store) => weights.ofStore(store))[0], isolation, ruledOut };
}

/** The Stores of the Region's peers, as far as they are present. */
export function storesOf({ region }: RegionInfo, view: PlacementView): PlacementStore[] {
  return region.peers.flatMap(({ storeId }) => view.store(storeId) ?? []);
}

/** Who of these peers leads best: on a Store that may lead, with the fewest leaders. */
function chooseLeader(candidates: readonly Peer[], view: PlacementView): Peer | undefined {
  const able = candidates.flatMap((peer) => {
    const store = view.store(peer.storeId);
    return store !== undefined && passes(store, leaderFilters) ? [{ id: store.id, peer, store }] : [];
  });
  return byWeight(able, ({ store }) => leaderWeight(store))[0]?.peer;
}

/** What the plan builder needs, from the view. */
export function stepPorts(view: PlacementView): StepPorts {
  return {
    newPeerId: () => view.newPeerId(),
    isUp: (id: StoreId) => view.store(id)?.condition === "Up",
    // Better somebody who should not lead, for a while, than nobody.
    pickHeir: (peers) => chooseLeader(peers, view) ?? peers[0],
  };
}

import type { StoreId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { stepPorts } from "../candidates.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { isolationScore } from "../filter/location.ts";
import { ledRegion, unrestReason } from "../filter/region-health.ts";
import { leaderFilters, roomFilters } from "../filter/store-filters.ts";
import { passes, sift } from "../filter/store-filter.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { stepsTowards } from "../steps/steps-towards.ts";
import { StoreWeights, leaderWeight } from "../store-weights.ts";

/**
 * Places the Region anew, as if it had no peers yet: far apart, then where there is least, then by chance. For Regions
 * that are scattered one after the other, each plan taken before the next is asked for, so that each counts.
 */
export function scatterPlan(info: RegionInfo, view: PlacementView): Decision {
  const unrest = unrestReason(info, view);
  const led = ledRegion(info);
  if (unrest !== undefined || typeof led === "string") {
    return standsStill(unrest ?? "no leader is known");
  }
  const own = new Set(info.region.peers.map(({ storeId }) => storeId));
  const stores = view.stores();
  // Who asked for it waits for the Stores' limits.
  const { fits, ruledOut } = sift(
    stores.filter(({ id }) => !own.has(id)),
    roomFilters(view.config),
  );
  const chosen = spread(info, [...fits, ...stores.filter(({ id }) => own.has(id))], view);
  const heir = least(
    chosen.filter((store) => passes(store, leaderFilters)),
    (store) => [leaderWeight(store) - Number(store.id === led.leader.storeId)],
    view,
  );
  const storeIds = chosen.map(({ id }) => id);
  const isThere =
    storeIds.every((id) => own.has(id)) && (heir === undefined || heir.id === led.leader.storeId);
  if (isThere) {
    return standsStill("it lies as well as anywhere", ruledOut);
  }
  const result = stepsTowards(
    led,
    heir === undefined ? { storeIds } : { storeIds, leaderStoreId: heir.id },
    stepPorts(view),
  );
  const head = { kind: "scatter", origin: "admin", priority: "Medium" } as const;
  const motive = `peers on stores ${storeIds.join(", ")}, led on store ${heir?.id ?? led.leader.storeId}`;
  return result.ok
    ? actsOn(planFor(info, { ...head, motive }, result.steps), ruledOut)
    : standsStill(result.reason, ruledOut);
}

/** As many Stores as the Region has peers, each as far from those before it as can be. */
function spread(
  info: RegionInfo,
  candidates: readonly PlacementStore[],
  view: PlacementView,
): PlacementStore[] {
  const weights = new StoreWeights(view.stores());
  const own = new Set<StoreId>(info.region.peers.map(({ storeId }) => storeId));
  const chosen: PlacementStore[] = [];
  while (chosen.length < info.region.peers.length) {
    const rest = candidates.filter((store) => !chosen.includes(store));
    const next = least(
      rest,
      (store) => [
        -isolationScore(store, chosen, view.config.locationLabels),
        // Without the Region itself, so that those who have it are no worse off than those who have not.
        weights.ofStore(store) - (own.has(store.id) ? weights.ofRegion(info, store) : 0),
      ],
      view,
    );
    if (next === undefined) {
      break;
    }
    chosen.push(next);
  }
  return chosen;
}

/** The one with the lowest rank; among equals one by chance. */
function least(
  stores: readonly PlacementStore[],
  rankOf: (store: PlacementStore) => readonly number[],
  view: PlacementView,
): PlacementStore | undefined {
  const ranked = stores.map((store) => ({ store, rank: rankOf(store) }));
  const first = ranked.reduce<(typeof ranked)[number] | undefined>(
    (low, each) => (low === undefined || compare(each.rank, low.rank) < 0 ? each : low),
    undefined,
  );
  const equals = first === undefined ? [] : ranked.filter(({ rank }) => compare(rank, first.rank) === 0);
  return equals.length === 0 ? undefined : equals[view.random(equals.length)]?.store;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

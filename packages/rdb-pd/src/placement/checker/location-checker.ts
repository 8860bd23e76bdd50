import { type Peer, SECOND_MS } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { chooseStore, stepPorts, storesOf } from "../candidates.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Checker, Decision, RuledOut } from "../decision.ts";
import { isolationScore, reachableIsolation, sharedPlace, totalIsolation } from "../filter/location.ts";
import { alive, draining } from "../filter/store-filters.ts";
import { passes } from "../filter/store-filter.ts";
import { type LedRegion, ledRegion, unrestReason } from "../filter/region-health.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { stepsTowards } from "../steps/steps-towards.ts";

/** What distance the Stores allow is reckoned anew so often: it costs as much as looking at many Regions. */
const RECKON_EVERY_MS = SECOND_MS;

/** Keeps a Region's peers apart by the location labels: where another Store isolates them better, a peer moves there. */
export class LocationChecker implements Checker {
  readonly name = "location";
  readonly isEssential = false;
  /** What the Stores would allow, as reckoned at that moment. */
  #reachable = { atMs: Number.NEGATIVE_INFINITY, isolation: 0 };

  check(info: RegionInfo, view: PlacementView): Decision {
    const labels = view.config.locationLabels;
    const stores = storesOf(info, view);
    if (labels.length === 0) {
      return standsStill("no locationLabels are configured");
    }
    if (totalIsolation(stores, labels) >= this.#reachableIsolation(view)) {
      return standsStill("its peers are as far apart as the stores allow");
    }
    const unrest = unrestReason(info, view);
    const led = ledRegion(info);
    if (unrest !== undefined || typeof led === "string") {
      return standsStill(unrest ?? "no leader is known");
    }
    return this.#separate(led, stores, view);
  }

  #separate(led: LedRegion, stores: readonly PlacementStore[], view: PlacementView): Decision {
    const labels = view.config.locationLabels;
    const ruledOut: RuledOut[] = [];
    // A peer that is near to others: any of those may be the one whose place another Store betters.
    const nearest = [...led.region.peers].sort(
      (a, b) => isolationOf(a, stores, labels) - isolationOf(b, stores, labels),
    );
    for (const peer of nearest) {
      const before = isolationOf(peer, stores, labels);
      const choice = chooseStore(led, view, peer);
      ruledOut.push(
        ...choice.ruledOut.filter((each) => !ruledOut.some((other) => other.storeId === each.storeId)),
      );
      if (choice.store !== undefined && choice.isolation > before) {
        return this.#move(led, view, peer, choice.store, ruledOut);
      }
      const staying = stores.filter(({ id }) => id !== peer.storeId);
      ruledOut.push(...nearPlaces(view, led, staying, ruledOut));
    }
    return standsStill("no store that can take a peer keeps its peers further apart", ruledOut);
  }

  #move(
    led: LedRegion,
    view: PlacementView,
    peer: Peer,
    to: PlacementStore,
    ruledOut: readonly RuledOut[],
  ): Decision {
    const labels = view.config.locationLabels;
    const own = view.store(peer.storeId);
    const staying = storesOf(led, view).filter(({ id }) => id !== peer.storeId);
    const shared = own === undefined ? undefined : sharedPlace(own, staying, labels);
    const why =
      shared === undefined
        ? `store ${peer.storeId} is near to the other peers`
        : `stores ${peer.storeId} and ${shared.other.id} share ${shared.label} ${shared.value}`;
    const motive = `${why}; store ${to.id} is further away`;
    const storeIds = [...staying.map(({ id }) => id), to.id];
    const result = stepsTowards(led, { storeIds }, stepPorts(view));
    const head = { kind: "separate-peers", origin: this.name, priority: "Medium", motive } as const;
    return result.ok
      ? actsOn(planFor(led, head, result.steps), ruledOut)
      : standsStill(`${motive}: ${result.reason}`, ruledOut);
  }

  #reachableIsolation(view: PlacementView): number {
    const labels = view.config.locationLabels;
    if (view.nowMs - this.#reachable.atMs >= RECKON_EVERY_MS) {
      const present = view.stores().filter((store) => passes(store, [...alive, draining]));
      const isolation = reachableIsolation(present, view.replicaCount, labels);
      this.#reachable = { atMs: view.nowMs, isolation };
    }
    return this.#reachable.isolation;
  }
}

function isolationOf(peer: Peer, stores: readonly PlacementStore[], labels: readonly string[]): number {
  const own = stores.find(({ id }) => id === peer.storeId);
  return own === undefined ? 0 : isolationScore(own, stores, labels);
}

/** Stores that could take a peer, but share a place with one that stays: `same-host`, `same-zone`. */
function nearPlaces(
  view: PlacementView,
  led: LedRegion,
  staying: readonly PlacementStore[],
  known: readonly RuledOut[],
): RuledOut[] {
  return view.stores().flatMap((store): RuledOut[] => {
    const isKnown = known.some(({ storeId }) => storeId === store.id);
    const shared = isKnown ? undefined : sharedPlace(store, staying, view.config.locationLabels);
    return shared === undefined || led.region.peers.some(({ storeId }) => storeId === store.id)
      ? []
      : [
          {
            storeId: store.id,
            filter: `same-${shared.label}`,
            reason: `it shares ${shared.label} ${shared.value} with store ${shared.other.id}`,
          },
        ];
  });
}

import type { RegionInfo } from "../../cluster/region-info.ts";
import { standsStill } from "../decide.ts";
import type { Decision, Scheduler } from "../decision.ts";
import { passes } from "../filter/store-filter.ts";
import { alive } from "../filter/store-filters.ts";
import type { OperatorPlan } from "../operator-plan.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { LeaderEviction } from "./leader-eviction.ts";

/** Of this part of the Stores or more being slow, it is the load that is slow: moving it around helps nobody. */
const MAX_SLOW_PART = 1 / 2;

/** Takes the leaderships from Stores whose disks answer too slowly; balance gives them back once they do not. */
export class EvictSlowStoreScheduler implements Scheduler {
  readonly name = "evict-slow-store";

  schedule(
    view: PlacementView,
    limit: number,
  ): { readonly plans: readonly OperatorPlan[]; readonly word: string } {
    const slow = slowStores(view);
    if (typeof slow === "string") {
      return { plans: [], word: slow };
    }
    const eviction = new LeaderEviction(this.name, view);
    const plans: OperatorPlan[] = [];
    for (const store of slow) {
      plans.push(...eviction.plans(store, `the disk of store ${store.id} is slow`, limit - plans.length));
    }
    return {
      plans,
      word: slow.map(({ id, leaderCount }) => `store ${id} leads ${leaderCount} regions`).join("; "),
    };
  }

  explain(info: RegionInfo, view: PlacementView): Decision {
    const slow = slowStores(view);
    if (typeof slow === "string") {
      return standsStill(slow);
    }
    const store = slow.find(({ id }) => id === info.status?.leader?.storeId);
    return store === undefined
      ? standsStill("its leader's store is not slow")
      : new LeaderEviction(this.name, view).decide(info, `the disk of store ${store.id} is slow`);
  }
}

/** The Stores to relieve, or why none. */
function slowStores(view: PlacementView): readonly PlacementStore[] | string {
  const present = view.stores().filter((store) => passes(store, alive));
  const slow = present.filter(({ stats }) => stats?.isSlow === true);
  if (slow.length === 0) {
    return "no store is slow";
  }
  return slow.length >= present.length * MAX_SLOW_PART
    ? `${slow.length} of ${present.length} stores are slow: the others cannot take their leaders`
    : slow;
}

import type { RegionInfo } from "../../cluster/region-info.ts";
import { standsStill } from "../decide.ts";
import type { Decision, Scheduler } from "../decision.ts";
import type { OperatorPlan } from "../operator-plan.ts";
import type { PlacementView } from "../placement-view.ts";
import { LeaderEviction } from "./leader-eviction.ts";

/** Takes all leaderships from Stores of which people said so. */
export class EvictLeaderScheduler implements Scheduler {
  readonly name = "evict-leader";

  schedule(
    view: PlacementView,
    limit: number,
  ): { readonly plans: readonly OperatorPlan[]; readonly word: string } {
    const evicting = view.stores().filter((store) => store.evictsLeaders);
    const eviction = new LeaderEviction(this.name, view);
    const plans: OperatorPlan[] = [];
    for (const store of evicting) {
      plans.push(...eviction.plans(store, `store ${store.id} is to lead nothing`, limit - plans.length));
    }
    const left = evicting.map(({ id, leaderCount }) => `store ${id} leads ${leaderCount} regions`);
    return { plans, word: evicting.length === 0 ? "no store evicts leaders" : left.join("; ") };
  }

  explain(info: RegionInfo, view: PlacementView): Decision {
    const leader = info.status?.leader;
    const store = leader === undefined ? undefined : view.store(leader.storeId);
    return store?.evictsLeaders === true
      ? new LeaderEviction(this.name, view).decide(info, `store ${store.id} is to lead nothing`)
      : standsStill("its leader's store does not evict leaders");
  }
}

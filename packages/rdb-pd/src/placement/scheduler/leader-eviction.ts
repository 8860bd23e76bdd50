import type { RegionId } from "@flaredb/rdb-base";
import { actsOn, standsStill } from "../decide.ts";
import type { Decision, RuledOut } from "../decision.ts";
import { type LedRegion, isHealthy, isJoint, ledRegion } from "../filter/region-health.ts";
import { firstReason } from "../filter/store-filter.ts";
import { leaderFilters } from "../filter/store-filters.ts";
import type { RegionInfo } from "../../cluster/region-info.ts";
import type { OperatorPlan } from "../operator-plan.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { leaderWeight } from "../store-weights.ts";
import { WeightBoard } from "./weight-board.ts";

/** Hands leaderships away from Stores that are not to lead, for a scheduler that says which and why. */
export class LeaderEviction {
  readonly #origin: string;
  readonly #view: PlacementView;
  readonly #board: WeightBoard;
  readonly #taken = new Set<RegionId>();

  /** @param origin the scheduler's name */
  constructor(origin: string, view: PlacementView) {
    this.#origin = origin;
    this.#view = view;
    this.#board = new WeightBoard(view.stores(), leaderWeight);
  }

  /** At most `limit` transfers away from the Store. */
  plans(from: PlacementStore, why: string, limit: number): OperatorPlan[] {
    const plans: OperatorPlan[] = [];
    for (const info of this.#view.regionsLedBy(from.id)) {
      if (plans.length >= limit) {
        break;
      }
      const isFree = !this.#view.hasOperator(info.region.id) && !this.#taken.has(info.region.id);
      const decision = isFree ? this.decide(info, why) : undefined;
      if (decision?.acts === true) {
        this.#taken.add(info.region.id);
        plans.push(decision.plan);
      }
    }
    return plans;
  }

  /** What to do with a Region that the Store leads. */
  decide(info: RegionInfo, why: string): Decision {
    const led = ledRegion(info);
    if (typeof led === "string") {
      return standsStill(led);
    }
    if (isJoint(led) || led.status.isMerging) {
      return standsStill("its peers are changing, or it is being merged");
    }
    const ruledOut: RuledOut[] = [];
    const heir = this.#heirOf(led, ruledOut);
    if (heir === undefined) {
      return standsStill(`${why}, but no other peer can lead`, ruledOut);
    }
    const fromStoreId = led.leader.storeId;
    this.#board.shift(heir.id, 1);
    const head = { kind: "evict-leader", origin: this.#origin, priority: "High", motive: why } as const;
    return actsOn(
      planFor(led, head, [{ kind: "transfer-leader", fromStoreId, toStoreId: heir.id }]),
      ruledOut,
    );
  }

  /** The Store that leads least of those that can lead. */
  #heirOf(led: LedRegion, ruledOut: RuledOut[]): PlacementStore | undefined {
    let best: PlacementStore | undefined;
    for (const peer of led.region.peers) {
      const store = this.#view.store(peer.storeId);
      const isVoter = peer.role === "Voter" && isHealthy(peer, led);
      if (store === undefined || peer.id === led.leader.id) {
        continue;
      }
      const refusal = isVoter
        ? firstReason(store, leaderFilters)
        : { storeId: store.id, filter: "peer-behind", reason: `peer ${peer.id} does not vote, or is behind` };
      if (refusal !== undefined) {
        ruledOut.push(refusal);
      } else if (best === undefined || this.#weight(store) < this.#weight(best)) {
        best = store;
      }
    }
    return best;
  }

  #weight({ id }: PlacementStore): number {
    return this.#board.weight(id) ?? 0;
  }
}

import type { Peer, RegionId, StoreId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Decision, RuledOut, Scheduler } from "../decision.ts";
import { type LedRegion, isHealthy, isJoint, ledRegion } from "../filter/region-health.ts";
import { firstReason, passes } from "../filter/store-filter.ts";
import { alive, leaderFilters } from "../filter/store-filters.ts";
import type { OperatorPlan } from "../operator-plan.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { leaderWeight } from "../store-weights.ts";
import { WeightyHeat } from "./heat.ts";
import { WeightBoard } from "./weight-board.ts";

/** Regions that are drawn on one Store in the search for one that may be led elsewhere. */
const DRAWS = 10;

/** Stores that are tried for one transfer, from each end, before it is given up for this time. */
const MAX_STORES = 64;

/** A transfer makes two Stores equal at best when they are so many leaders apart; below it would only swap them. */
const MIN_GAP = 2;

/** Evens out how many Regions each Store leads. */
export class BalanceLeaderScheduler implements Scheduler {
  readonly name = "balance-leader";

  schedule(
    view: PlacementView,
    limit: number,
  ): { readonly plans: readonly OperatorPlan[]; readonly word: string } {
    const scene = new LeaderScene(view);
    const plans: OperatorPlan[] = [];
    for (;;) {
      const plan = plans.length < limit ? this.#next(scene) : undefined;
      if (plan === undefined) {
        break;
      }
      plans.push(plan);
    }
    return { plans, word: `${plans.length} transfers planned; ${scene.describe()}` };
  }

  explain(info: RegionInfo, view: PlacementView): Decision {
    const led = transferable(info);
    if (typeof led === "string") {
      return standsStill(led);
    }
    const scene = new LeaderScene(view);
    if (scene.isHot(led)) {
      return standsStill("it is hot: hot-region says where it is led");
    }
    const ruledOut = led.region.peers.flatMap((peer) => scene.refusal(led, peer) ?? []);
    const heir = scene.heirOf(led);
    return heir === undefined
      ? standsStill(`no other peer's store leads enough less; ${scene.describe()}`, ruledOut)
      : actsOn(this.#plan(led, heir, scene), ruledOut);
  }

  /** From the Stores that lead most, then to those that lead least. */
  #next(scene: LeaderScene): OperatorPlan | undefined {
    for (const id of scene.givers()) {
      const plan = this.#drawn(scene, id, "leader");
      if (plan !== undefined) {
        return plan;
      }
    }
    for (const id of scene.takers()) {
      const plan = this.#drawn(scene, id, "follower");
      if (plan !== undefined) {
        return plan;
      }
    }
    return undefined;
  }

  #drawn(scene: LeaderScene, id: StoreId, role: "leader" | "follower"): OperatorPlan | undefined {
    const { view } = scene;
    const info = view.pickRegionOn(id, role, DRAWS, (each) => {
      const led = transferable(each);
      const isFree = !scene.isTaken(each) && !scene.isHot(each);
      return isFree && typeof led !== "string" && scene.heirOf(led) !== undefined;
    });
    const led = info === undefined ? undefined : transferable(info);
    if (led === undefined || typeof led === "string") {
      return undefined;
    }
    const heir = scene.heirOf(led);
    if (heir === undefined) {
      return undefined;
    }
    const plan = this.#plan(led, heir, scene);
    scene.take(led, heir);
    return plan;
  }

  #plan(led: LedRegion, heir: Peer, scene: LeaderScene): OperatorPlan {
    const from = led.leader.storeId;
    const counts = [scene.board.weight(from), scene.board.weight(heir.storeId)];
    const motive = `store ${from} leads ${counts[0]} regions, store ${heir.storeId} leads ${counts[1]}`;
    const head = { kind: "balance-leader", origin: this.name, priority: "Low", motive } as const;
    return planFor(led, head, [{ kind: "transfer-leader", fromStoreId: from, toStoreId: heir.storeId }]);
  }
}

/** The Region with its leader, if that may change now, or why not. */
function transferable(info: RegionInfo): LedRegion | string {
  const led = ledRegion(info);
  if (typeof led === "string") {
    return led;
  }
  return isJoint(led) || led.status.isMerging ? "its peers are changing, or it is being merged" : led;
}

/** Who leads how much, while plans are made. */
class LeaderScene {
  readonly view: PlacementView;
  readonly board: WeightBoard;
  readonly #minGap: number;
  readonly #taken = new Set<RegionId>();
  readonly #hot: WeightyHeat;

  constructor(view: PlacementView) {
    this.view = view;
    // Who may not lead is no measure of what the others should.
    const present = view.stores().filter((store) => passes(store, alive));
    this.board = new WeightBoard(present, leaderWeight);
    this.#hot = new WeightyHeat(view);
    this.#minGap = Math.max(MIN_GAP, this.board.mean * view.config.tolerance);
  }

  isHot(info: RegionInfo): boolean {
    return this.#hot.has(info);
  }

  isTaken({ region }: RegionInfo): boolean {
    return this.#taken.has(region.id) || this.view.hasOperator(region.id);
  }

  /** Stores that lead so much more than some other that a transfer betters it, the heaviest first. */
  givers(): StoreId[] {
    const ascending = this.board.ascending();
    const lightest = ascending.find((store) => passes(store, leaderFilters));
    const isHeavy = ({ id }: PlacementStore): boolean =>
      lightest !== undefined && this.#gap(id, lightest.id) >= this.#minGap;
    return ascending
      .filter(isHeavy)
      .slice(-MAX_STORES)
      .map(({ id }) => id)
      .reverse();
  }

  /** Stores that may lead, and lead so much less than some other, the lightest first. */
  takers(): StoreId[] {
    const ascending = this.board.ascending();
    const heaviest = ascending.at(-1);
    const isLight = ({ id }: PlacementStore): boolean =>
      heaviest !== undefined && this.#gap(heaviest.id, id) >= this.#minGap;
    return ascending
      .filter((store) => isLight(store) && passes(store, leaderFilters))
      .slice(0, MAX_STORES)
      .map(({ id }) => id);
  }

  /** Who is to lead the Region instead: on the Store that leads least, if that betters the balance. */
  heirOf(led: LedRegion): Peer | undefined {
    let best: Peer | undefined;
    for (const peer of led.region.peers) {
      const isLighter = best === undefined || this.#weight(peer.storeId) < this.#weight(best.storeId);
      if (isLighter && this.refusal(led, peer) === undefined) {
        best = peer;
      }
    }
    return best;
  }

  /** Why the peer is not to lead instead; undefined when it may. */
  refusal(led: LedRegion, peer: Peer): RuledOut | undefined {
    const store = this.view.store(peer.storeId);
    const out = (filter: string, reason: string): RuledOut => ({ storeId: peer.storeId, filter, reason });
    if (store === undefined) {
      return out("down", "it is gone for good");
    }
    if (peer.id === led.leader.id) {
      return out("leader", `peer ${peer.id} leads already`);
    }
    if (peer.role !== "Voter" || !isHealthy(peer, led)) {
      return out("peer-behind", `peer ${peer.id} does not vote, or is down, behind or damaged`);
    }
    const gap = this.#gap(led.leader.storeId, peer.storeId);
    return (
      firstReason(store, leaderFilters) ??
      (gap >= this.#minGap
        ? undefined
        : out(
            "balanced",
            `it leads ${this.#weight(store.id)} regions, ${gap} fewer; ${this.#minGap} are worth a transfer`,
          ))
    );
  }

  take({ region, leader }: LedRegion, heir: Peer): void {
    this.#taken.add(region.id);
    this.board.shift(leader.storeId, -1);
    this.board.shift(heir.storeId, 1);
  }

  describe(): string {
    const ascending = this.board.ascending();
    const [least, most] = [ascending[0], ascending.at(-1)];
    return least === undefined || most === undefined
      ? "no store is up"
      : `stores lead ${this.#weight(least.id)} to ${this.#weight(most.id)} regions, ${this.board.mean.toFixed(1)} in the mean`;
  }

  #gap(from: StoreId, to: StoreId): number {
    return this.#weight(from) - this.#weight(to);
  }

  #weight(id: StoreId): number {
    return this.board.weight(id) ?? 0;
  }
}

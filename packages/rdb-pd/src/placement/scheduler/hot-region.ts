import type { RegionInfo } from "../../cluster/region-info.ts";
import { stepPorts, storesOf } from "../candidates.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Decision, Scheduler } from "../decision.ts";
import type { OperatorPlan } from "../operator-plan.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { ledRegion, unrestReason } from "../filter/region-health.ts";
import { planFor } from "../plans.ts";
import { type WantedPeers, stepsTowards } from "../steps/steps-towards.ts";
import { type Heat, MovedLoads, heatOf, heats, isHot } from "./heat.ts";
import { HeatScene } from "./heat-scene.ts";
import { HotRegions } from "./hot-regions.ts";

/** A hot Region's way to a cooler Store. */
interface HotMove {
  readonly kind: "move-hot-leader" | "move-hot-peer";
  readonly info: RegionInfo;
  readonly from: PlacementStore;
  readonly to: PlacementStore;
  readonly wanted: WantedPeers;
}

/** Evens out reads and writes: hot Regions are led from cooler Stores, and peers that are much written to move there. */
export class HotRegionScheduler implements Scheduler {
  readonly name = "hot-region";
  readonly #hot = new HotRegions();
  readonly #moved = new MovedLoads();

  schedule(
    view: PlacementView,
    limit: number,
  ): { readonly plans: readonly OperatorPlan[]; readonly word: string } {
    this.#moved.settle(view.nowMs);
    this.#hot.scan(view);
    const plans: OperatorPlan[] = [];
    const words: string[] = [];
    for (const heat of heats) {
      // One move for each kind of heat: what it does to the Stores' load shows only after a while.
      const scene = new HeatScene(view, heat, this.#hot.all(view), this.#moved);
      const plan = plans.length < limit ? this.#hottest(scene) : undefined;
      words.push(plan === undefined ? scene.describe() : plan.motive);
      plans.push(...(plan === undefined ? [] : [plan]));
    }
    return { plans, word: words.join("; ") };
  }

  explain(info: RegionInfo, view: PlacementView): Decision {
    const hot = heats.filter((heat) => isHot(info, heat, view.config));
    if (hot.length === 0) {
      const rates = heats.map(
        (heat) => `${heat.name} ${heatOf(info, heat)} of ${heat.threshold(view.config)} ${heat.unit}`,
      );
      return standsStill(`it is not hot: ${rates.join(", ")}`);
    }
    const reason = this.#refusal(info, view);
    if (reason !== undefined) {
      return standsStill(reason);
    }
    const words: string[] = [];
    for (const heat of hot) {
      const scene = new HeatScene(view, heat, this.#hot.all(view), this.#moved);
      const move = leaderMove(info, scene) ?? peerMove(info, scene);
      const plan = move === undefined ? undefined : this.#plan(move, scene);
      if (plan !== undefined) {
        return actsOn(plan);
      }
      words.push(`its ${heat.name} would be no better off elsewhere; ${scene.describe()}`);
    }
    return standsStill(words.join("; "));
  }

  /** The hottest Region that another Store can take. */
  #hottest(scene: HeatScene): OperatorPlan | undefined {
    for (const moveOf of scene.heat.name === "writes" ? [leaderMove, peerMove] : [leaderMove]) {
      for (const info of scene.hottestFirst()) {
        const move = this.#refusal(info, scene.view) === undefined ? moveOf(info, scene) : undefined;
        const plan = move === undefined ? undefined : this.#plan(move, scene);
        if (move !== undefined && plan !== undefined) {
          this.#moved.add(
            info,
            { fromId: move.from.id, toId: move.to.id, movesLeader: move.kind === "move-hot-leader" },
            scene.view.nowMs,
          );
          return plan;
        }
      }
    }
    return undefined;
  }

  #refusal(info: RegionInfo, view: PlacementView): string | undefined {
    if (view.hasOperator(info.region.id)) {
      return "it has an operator";
    }
    return this.#moved.has(info.region.id)
      ? "it was moved lately: its load there is not known yet"
      : unrestReason(info, view);
  }

  #plan({ kind, info, from, to, wanted }: HotMove, scene: HeatScene): OperatorPlan | undefined {
    const led = ledRegion(info);
    const result = typeof led === "string" ? undefined : stepsTowards(led, wanted, stepPorts(scene.view));
    const motive = `${describeHeat(info, scene.heat)}; ${scene.describeStores(kind, from, to)}`;
    const head = { kind, origin: this.name, priority: "Medium", motive } as const;
    return result?.ok === true ? planFor(info, head, result.steps) : undefined;
  }
}

/** To a follower's Store, or with its peer to another one. */
function leaderMove(info: RegionInfo, scene: HeatScene): HotMove | undefined {
  const from = scene.leaderStore(info);
  if (from === undefined) {
    return undefined;
  }
  const storeIds = info.region.peers.map(({ storeId }) => storeId);
  const kind = "move-hot-leader";
  const heir = scene.coolerFollower(info, from);
  if (heir !== undefined) {
    return { kind, info, from, to: heir, wanted: { storeIds, leaderStoreId: heir.id } };
  }
  const to = scene.coolerStore("move-hot-leader", info, from);
  const staying = storeIds.filter((id) => id !== from.id);
  return to === undefined
    ? undefined
    : { kind, info, from, to, wanted: { storeIds: [...staying, to.id], leaderStoreId: to.id } };
}

/** A follower, to a Store whose peers are written to less. */
function peerMove(info: RegionInfo, scene: HeatScene): HotMove | undefined {
  if (scene.heat.name === "reads") {
    return undefined;
  }
  const kind = "move-hot-peer";
  for (const from of storesOf(info, scene.view)) {
    const to = from.id === info.status?.leader?.storeId ? undefined : scene.coolerStore(kind, info, from);
    if (to !== undefined) {
      const staying = info.region.peers.map(({ storeId }) => storeId).filter((id) => id !== from.id);
      return { kind, info, from, to, wanted: { storeIds: [...staying, to.id] } };
    }
  }
  return undefined;
}

function describeHeat(info: RegionInfo, heat: Heat): string {
  return `its ${heat.name} are ${Math.round(heatOf(info, heat))} ${heat.unit}`;
}

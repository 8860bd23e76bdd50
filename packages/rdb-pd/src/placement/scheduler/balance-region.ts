import type { Peer, RegionId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { stepPorts, storesOf } from "../candidates.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Decision, Scheduler } from "../decision.ts";
import { ledRegion, unrestReason } from "../filter/region-health.ts";
import { firstReason, passes } from "../filter/store-filter.ts";
import { alive, draining, removeLimit } from "../filter/store-filters.ts";
import type { OperatorPlan } from "../operator-plan.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { stepsTowards } from "../steps/steps-towards.ts";
import { RegionScene } from "./region-scene.ts";

/** Regions that are drawn on one Store in the search for one that may move. */
const DRAWS = 5;

interface Move {
  readonly info: RegionInfo;
  readonly peer: Peer;
  readonly from: PlacementStore;
  readonly to: PlacementStore;
}

/** Evens out how many Regions and bytes each Store has, for its capacity; so new, empty Stores get filled. */
export class BalanceRegionScheduler implements Scheduler {
  readonly name = "balance-region";

  schedule(
    view: PlacementView,
    limit: number,
  ): { readonly plans: readonly OperatorPlan[]; readonly word: string } {
    const scene = new RegionScene(view);
    const taken = new Set<RegionId>();
    const plans: OperatorPlan[] = [];
    for (;;) {
      const move = plans.length < limit ? this.#next(scene, taken) : undefined;
      const plan = move === undefined ? undefined : this.#plan(move, scene);
      if (move === undefined || plan === undefined || typeof plan === "string") {
        break;
      }
      taken.add(move.info.region.id);
      scene.moved(move.info, move.from, move.to);
      plans.push(plan);
    }
    return { plans, word: `${plans.length} moves planned; ${scene.describe()}` };
  }

  explain(info: RegionInfo, view: PlacementView): Decision {
    const unrest = unrestReason(info, view);
    if (unrest !== undefined) {
      return standsStill(unrest);
    }
    const scene = new RegionScene(view);
    const own = storesOf(info, view);
    const heaviest = own.reduce((a, b) => (scene.weight(b) > scene.weight(a) ? b : a));
    const bound = firstReason(heaviest, [...alive, draining, removeLimit]);
    if (scene.isHot(info) && info.status?.leader?.storeId === heaviest.id) {
      return standsStill("it is hot: hot-region says where it is led");
    }
    const staying = own.filter(({ id }) => id !== heaviest.id);
    const ruledOut = scene.refusals(info, heaviest, staying);
    if (bound !== undefined) {
      return standsStill(`store ${heaviest.id}, its heaviest, gives none: ${bound.reason}`, ruledOut);
    }
    const move = moveFrom(info, heaviest, scene);
    const plan = move === undefined ? undefined : this.#plan(move, scene);
    return plan === undefined || typeof plan === "string"
      ? standsStill(
          plan ?? `no store is so much lighter than store ${heaviest.id} that a move betters the balance`,
          ruledOut,
        )
      : actsOn(plan, ruledOut);
  }

  /** From the heaviest Store that has a Region that another one can take; a follower, if there is one. */
  #next(scene: RegionScene, taken: ReadonlySet<RegionId>): Move | undefined {
    const { view } = scene;
    const isFree = ({ region }: RegionInfo): boolean => !taken.has(region.id) && !view.hasOperator(region.id);
    for (const from of scene.givers()) {
      if (!passes(from, [draining, removeLimit])) {
        continue;
      }
      // Of hot Regions only followers move: where they are led is not for counts to say.
      for (const role of ["follower", "leader"] as const) {
        let move: Move | undefined;
        view.pickRegionOn(from.id, role, DRAWS, (info) => {
          const mayMove =
            isFree(info) &&
            !(role === "leader" && scene.isHot(info)) &&
            unrestReason(info, view) === undefined;
          move = mayMove ? moveFrom(info, from, scene) : undefined;
          return move !== undefined;
        });
        if (move !== undefined) {
          return move;
        }
      }
    }
    return undefined;
  }

  #plan({ info, peer, from, to }: Move, scene: RegionScene): OperatorPlan | string {
    const led = ledRegion(info);
    if (typeof led === "string") {
      return led;
    }
    const staying = led.region.peers.filter(({ id }) => id !== peer.id).map(({ storeId }) => storeId);
    const result = stepsTowards(led, { storeIds: [...staying, to.id] }, stepPorts(scene.view));
    const motive = `${scene.describeStore(from)}; ${scene.describeStore(to)}`;
    const head = { kind: "balance-region", origin: this.name, priority: "Low", motive } as const;
    return result.ok ? planFor(led, head, result.steps) : result.reason;
  }
}

function moveFrom(info: RegionInfo, from: PlacementStore, scene: RegionScene): Move | undefined {
  const peer = info.region.peers.find(({ storeId }) => storeId === from.id);
  const staying = storesOf(info, scene.view).filter(({ id }) => id !== from.id);
  const to = peer === undefined ? undefined : scene.targetFor(info, from, staying);
  return peer === undefined || to === undefined ? undefined : { info, peer, from, to };
}

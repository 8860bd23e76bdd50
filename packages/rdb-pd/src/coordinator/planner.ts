import type { RegionId } from "@flaredb/rdb-base";
import type { Moment } from "../cluster/cluster-state.ts";
import type { IdReserve } from "../id/id-reserve.ts";
import type { OperatorController } from "../operator/operator-controller.ts";
import type { OperatorPlan } from "../placement/operator-plan.ts";
import type { PlacementConfig } from "../placement/placement-config.ts";
import { sourceLimit } from "./source-limit.ts";

export interface PlannerOptions {
  readonly controller: OperatorController;
  readonly ids: IdReserve;
  readonly config: () => PlacementConfig;
}

/** Makes operators of what checkers and schedulers want, within their limits. */
export class Planner {
  readonly #options: PlannerOptions;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** How many more operators of this origin may run now. */
  roomFor(name: string): number {
    const limited = sourceLimit(name, this.#options.config());
    const limit = limited?.limit ?? Number.POSITIVE_INFINITY;
    return Math.max(0, limit - this.#options.controller.countOf(name));
  }

  /** Why there is no room: the setting and its value. */
  noRoomWord(name: string): string {
    const limited = sourceLimit(name, this.#options.config());
    return `as many of its operators run as may: ${limited?.setting} is ${limited?.limit}`;
  }

  /** Whether a repair may take the place of the Region's operator. */
  mayRepair(id: RegionId): boolean {
    return this.#options.controller.yieldsToRepair(id);
  }

  /** Takes the plans that can be; what was decided alongside and is not taken gives its ids back. Says what became of each. */
  take(
    plans: readonly OperatorPlan[],
    now: Moment,
  ): { readonly takenCount: number; readonly refusal: string | undefined } {
    const { controller, ids } = this.#options;
    if (plans.length === 0) {
      ids.returnDrawn();
      return { takenCount: 0, refusal: undefined };
    }
    ids.keepDrawn();
    let takenCount = 0;
    let refusal: string | undefined;
    for (const plan of plans) {
      const result = controller.add(plan, now);
      if (result.ok) {
        takenCount += 1;
      } else {
        refusal = result.refusal.message;
      }
    }
    return { takenCount, refusal };
  }

  /** What was decided is only told, not done. */
  discard(): void {
    this.#options.ids.returnDrawn();
  }
}

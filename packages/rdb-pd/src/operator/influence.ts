import type { StoreId } from "@flaredb/rdb-base";
import type { OperatorPlan, OperatorStep } from "../placement/operator-plan.ts";

/** What operators will make of a Store; negative for what they take away. */
export interface Influence {
  readonly regionCount: number;
  readonly leaderCount: number;
  readonly sizeBytes: number;
  /** Peers that it is about to take in, from the plan until they vote; */
  readonly addingCount: number;
  /** and to give away. */
  readonly removingCount: number;
}

export const NO_INFLUENCE: Influence = {
  regionCount: 0,
  leaderCount: 0,
  sizeBytes: 0,
  addingCount: 0,
  removingCount: 0,
};

/** What the operator's steps from `currentStep` on will make of each Store that they touch. */
function influenceOf(plan: OperatorPlan, currentStep: number): Map<StoreId, Influence> {
  const influences = new Map<StoreId, Influence>();
  const add = (id: StoreId, change: Partial<Influence>): void => {
    influences.set(id, plus(influences.get(id) ?? NO_INFLUENCE, change));
  };
  const sizeBytes = plan.approximateSizeBytes;
  plan.steps.forEach((step, at) => {
    if (step.kind === "add-learner") {
      if (at >= currentStep) {
        add(step.storeId, { regionCount: 1, sizeBytes });
      }
      // The data is still on its way when the learner stands in the Region already.
      if (settledAt(plan.steps, at) >= currentStep) {
        add(step.storeId, { addingCount: 1 });
      }
    } else if (at >= currentStep && step.kind === "remove-peer") {
      add(step.storeId, { regionCount: -1, sizeBytes: -sizeBytes, removingCount: 1 });
    } else if (at >= currentStep && step.kind === "transfer-leader") {
      add(step.fromStoreId, { leaderCount: -1 });
      add(step.toStoreId, { leaderCount: 1 });
    }
  });
  return influences;
}

/** The step with which the learner that is added at `at` has caught up: the one that lets it vote. */
function settledAt(steps: readonly OperatorStep[], at: number): number {
  const added = steps[at];
  if (added?.kind !== "add-learner") {
    return at;
  }
  const promotion = steps.findIndex(
    (step) =>
      (step.kind === "promote" && step.peerId === added.peerId) ||
      (step.kind === "enter-joint" && step.promote.some(({ peerId }) => peerId === added.peerId)),
  );
  return Math.max(promotion, at);
}

function plus(a: Influence, b: Partial<Influence>): Influence {
  return {
    regionCount: a.regionCount + (b.regionCount ?? 0),
    leaderCount: a.leaderCount + (b.leaderCount ?? 0),
    sizeBytes: a.sizeBytes + (b.sizeBytes ?? 0),
    addingCount: a.addingCount + (b.addingCount ?? 0),
    removingCount: a.removingCount + (b.removingCount ?? 0),
  };
}

function minus(a: Influence, b: Influence): Influence {
  return {
    regionCount: a.regionCount - b.regionCount,
    leaderCount: a.leaderCount - b.leaderCount,
    sizeBytes: a.sizeBytes - b.sizeBytes,
    addingCount: a.addingCount - b.addingCount,
    removingCount: a.removingCount - b.removingCount,
  };
}

/** Influence of many operators, summed by Store as they come, advance and go. */
export class InfluenceSum {
  readonly #sums = new Map<StoreId, Influence>();
  readonly #counted = new Map<number, Map<StoreId, Influence>>();

  of(id: StoreId): Influence {
    return this.#sums.get(id) ?? NO_INFLUENCE;
  }

  /** Counts the operator as it stands now, once. */
  put(operatorId: number, plan: OperatorPlan, currentStep: number): void {
    this.remove(operatorId);
    const influences = influenceOf(plan, currentStep);
    this.#counted.set(operatorId, influences);
    for (const [id, influence] of influences) {
      this.#sums.set(id, plus(this.of(id), influence));
    }
  }

  remove(operatorId: number): void {
    for (const [id, influence] of this.#counted.get(operatorId) ?? []) {
      this.#sums.set(id, minus(this.of(id), influence));
    }
    this.#counted.delete(operatorId);
  }
}

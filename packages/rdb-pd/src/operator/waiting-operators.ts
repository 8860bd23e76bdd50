import type { StoreId } from "@flaredb/rdb-base";
import type { StoreLimits } from "../placement/store-limits.ts";
import { rankOf } from "./admission.ts";
import { InfluenceSum } from "./influence.ts";
import type { Operator } from "./operator.ts";

/** How much may run on one Store at a time. */
export interface RunningLimits {
  readonly of: (id: StoreId) => StoreLimits;
  /** What is taken from a Store that does nothing itself costs it nothing. */
  readonly isUnlimited: (id: StoreId) => boolean;
}

/** Operators that wait for their place in the Stores' limits: the highest first, then the oldest. */
export class WaitingOperators {
  readonly #waiting = new Set<Operator>();
  /** Of those that were let go, until they are removed. */
  readonly #running = new InfluenceSum();

  add(operator: Operator): void {
    this.#waiting.add(operator);
  }

  /** Waiting or not, it is over. */
  remove(operator: Operator): void {
    this.#waiting.delete(operator);
    this.#running.remove(operator.id);
  }

  /** It runs and has left a step behind. */
  advanced(operator: Operator): void {
    this.#running.put(operator.id, operator.plan, operator.currentStep);
  }

  /** Takes out those that fit into the limits now; they count as running from then on. */
  takeFitting(limits: RunningLimits): Operator[] {
    const ordered = [...this.#waiting].sort((a, b) => rankOf(b.plan) - rankOf(a.plan) || a.id - b.id);
    return ordered.filter((operator) => this.tryTake(operator, limits));
  }

  /** Takes this one out, if it fits into the limits now. */
  tryTake(operator: Operator, limits: RunningLimits): boolean {
    this.#running.put(operator.id, operator.plan, 0);
    if (!this.#fits(operator, limits)) {
      this.#running.remove(operator.id);
      return false;
    }
    this.#waiting.delete(operator);
    return true;
  }

  #fits({ plan }: Operator, { of, isUnlimited }: RunningLimits): boolean {
    return plan.steps.every((step) => {
      if (step.kind === "add-learner") {
        return this.#running.of(step.storeId).addingCount <= of(step.storeId).addLimit;
      }
      if (step.kind === "remove-peer") {
        const { removeLimit } = of(step.storeId);
        return isUnlimited(step.storeId) || this.#running.of(step.storeId).removingCount <= removeLimit;
      }
      return true;
    });
  }
}

import { assert } from "@flaredb/rdb-base";
import type { Moment } from "../cluster/cluster-state.ts";
import type { CancelReason, OperatorPlan, OperatorStep } from "../placement/operator-plan.ts";
import type { OperatorRecord, OperatorState } from "./operator-record.ts";
import { stepText } from "./step-text.ts";

/** What was last said to the Region's leader. */
export interface Dispatch {
  /** Of what, to whom, for which epoch: something else is said at once, the same only after a while. */
  readonly key: string;
  readonly sentMonotonicMs: number;
}

/** Which states may follow which. */
const successors: Readonly<Record<OperatorState, readonly OperatorState[]>> = {
  Waiting: ["Running", "Cancelled", "TimedOut"],
  Running: ["Done", "Cancelled", "TimedOut"],
  Done: [],
  Cancelled: [],
  TimedOut: [],
};

/** A plan on its way: where it is, and since when. It decides nothing; see `OperatorController`. */
export class Operator {
  readonly id: number;
  readonly plan: OperatorPlan;
  readonly createdMonotonicMs: number;
  /** Since when the current step is the current one; monotonic. */
  stepMonotonicMs = 0;
  startedMonotonicMs = 0;
  dispatch: Dispatch | undefined;
  /** What the leader last answered instead of doing it. */
  lastRefusal = "";
  #state: OperatorState = "Waiting";
  #currentStep = 0;
  readonly #createdMs: number;
  #startedMs = 0;
  #endedMs = 0;
  #endReason: CancelReason | "" = "";
  #endMessage = "";
  readonly #stepStartedMs: number[] = [];
  readonly #stepEndedMs: number[] = [];

  constructor(id: number, plan: OperatorPlan, now: Moment) {
    assert(plan.steps.length > 0, "an operator has steps");
    this.id = id;
    this.plan = plan;
    this.createdMonotonicMs = now.monotonicMs;
    this.#createdMs = now.wallMs;
  }

  get state(): OperatorState {
    return this.#state;
  }

  get currentStep(): number {
    return this.#currentStep;
  }

  /** The step that is under way. Only before the end. */
  get step(): OperatorStep {
    const step = this.plan.steps[this.#currentStep];
    assert(step !== undefined, "an operator that has not ended has a current step");
    return step;
  }

  get isLastStep(): boolean {
    return this.#currentStep === this.plan.steps.length - 1;
  }

  start(now: Moment): void {
    this.#become("Running");
    this.#startedMs = now.wallMs;
    this.startedMonotonicMs = now.monotonicMs;
    this.#beginStep(now);
  }

  /** The current step shows in the Region's reports. */
  finishStep(now: Moment): void {
    this.#stepEndedMs[this.#currentStep] = now.wallMs;
    const wasLast = this.isLastStep;
    this.#currentStep += 1;
    if (wasLast) {
      this.#become("Done");
      this.#endedMs = now.wallMs;
    } else {
      this.#beginStep(now);
    }
  }

  end(state: "Cancelled" | "TimedOut", reason: CancelReason, message: string, now: Moment): void {
    this.#become(state);
    this.#endedMs = now.wallMs;
    this.#endReason = reason;
    this.#endMessage = message;
  }

  record(): OperatorRecord {
    const { kind, origin, regionId, steps, motive } = this.plan;
    return {
      id: this.id,
      ...{ kind, origin, regionId, motive },
      state: this.#state,
      steps: steps.map((step, at) => ({
        kind: step.kind,
        text: stepText(step),
        startedMs: this.#stepStartedMs[at] ?? 0,
        endedMs: this.#stepEndedMs[at] ?? 0,
      })),
      currentStep: this.#currentStep,
      createdMs: this.#createdMs,
      startedMs: this.#startedMs,
      endedMs: this.#endedMs,
      endReason: this.#endReason,
      endMessage: this.#endMessage,
    };
  }

  #beginStep(now: Moment): void {
    this.#stepStartedMs[this.#currentStep] = now.wallMs;
    this.stepMonotonicMs = now.monotonicMs;
    this.dispatch = undefined;
    this.lastRefusal = "";
  }

  #become(state: OperatorState): void {
    assert(successors[this.#state].includes(state), `an operator goes from ${this.#state} to ${state}`);
    this.#state = state;
  }
}

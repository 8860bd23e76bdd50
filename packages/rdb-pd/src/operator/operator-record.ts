import type { CancelReason } from "../placement/operator-plan.ts";

/** Waiting: for its place in a Store's limit. The last three are the ways to end. */
export type OperatorState = "Waiting" | "Running" | "Done" | "Cancelled" | "TimedOut";

/** One step of an operator, for people. Times are wall clock, milliseconds since 1970; 0: not yet. */
interface StepRecord {
  readonly kind: string;
  readonly text: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** An operator as it is shown and kept: what happened to which Region, and why. Times as in {@link StepRecord}. */
export interface OperatorRecord {
  readonly id: number;
  readonly kind: string;
  readonly origin: string;
  readonly regionId: number;
  readonly state: OperatorState;
  readonly steps: readonly StepRecord[];
  /** Place in `steps`; their count once all are done. */
  readonly currentStep: number;
  readonly createdMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
  /** "" unless it was cancelled or timed out. */
  readonly endReason: CancelReason | "";
  readonly endMessage: string;
  readonly motive: string;
}

export function isEnded(record: OperatorRecord): boolean {
  return record.state !== "Waiting" && record.state !== "Running";
}

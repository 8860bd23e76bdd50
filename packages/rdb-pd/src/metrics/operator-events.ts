import type { OperatorRecord, OperatorState } from "../operator/operator-record.ts";
import type { PdMetrics } from "./pd-metrics.ts";

const events: Readonly<Record<OperatorState, string>> = {
  Waiting: "begun",
  Running: "begun",
  Done: "done",
  Cancelled: "cancelled",
  TimedOut: "timed_out",
};

/** Counts that an operator began or ended. */
export function countOperator({ operatorsEnded }: PdMetrics, { kind, state }: OperatorRecord): void {
  operatorsEnded.of(kind, events[state]).value++;
}

import { type Operator, OperatorState } from "@flaredb/rdb-proto";

/** An operator as a document of `--json`. */
export function operatorDocument(operator: Operator): Record<string, unknown> {
  return {
    id: operator.id,
    kind: operator.kind,
    origin: operator.origin,
    regionId: operator.regionId,
    state: operatorStateName(operator.state),
    steps: operator.steps.map(({ kind, text, startedMs, endedMs }) => ({ kind, text, startedMs, endedMs })),
    currentStep: operator.currentStep,
    createdMs: operator.createdMs,
    startedMs: operator.startedMs,
    endedMs: operator.endedMs,
    endReason: operator.endReason,
    endMessage: operator.endMessage,
    motive: operator.motive,
  };
}

const states: Readonly<Record<number, string>> = {
  [OperatorState.WAITING]: "waiting",
  [OperatorState.RUNNING]: "running",
  [OperatorState.DONE]: "done",
  [OperatorState.CANCELLED]: "cancelled",
  [OperatorState.TIMED_OUT]: "timed out",
};

/** An operator's state in words. */
export function operatorStateName(state: OperatorState): string {
  return states[state] ?? "unknown";
}

import type { OperatorRecord, OperatorState } from "../operator/operator-record.ts";

/** An operator of Region 1, for table tests. */
export function operatorRecord(id: number, state: OperatorState): OperatorRecord {
  const hasEnded = state !== "Waiting" && state !== "Running";
  return {
    id,
    kind: "move-peer",
    origin: "admin",
    regionId: 1,
    state,
    steps: [{ kind: "add-learner", text: "add learner 17 on store 4", startedMs: 5, endedMs: 0 }],
    currentStep: 0,
    createdMs: 4,
    startedMs: 5,
    endedMs: hasEnded ? 9 : 0,
    endReason: state === "Cancelled" ? "by-admin" : state === "TimedOut" ? "timed-out" : "",
    endMessage: "",
    motive: "why not",
  };
}

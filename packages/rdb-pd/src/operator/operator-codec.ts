import { create } from "@bufbuild/protobuf";
import { RdbError, safeInteger } from "@flaredb/rdb-base";
import { type Operator, OperatorSchema, OperatorState as WireState } from "@flaredb/rdb-proto";
import type { CancelReason } from "../placement/operator-plan.ts";
import type { OperatorRecord, OperatorState } from "./operator-record.ts";

const states: Readonly<Record<OperatorState, WireState>> = {
  Waiting: WireState.WAITING,
  Running: WireState.RUNNING,
  Done: WireState.DONE,
  Cancelled: WireState.CANCELLED,
  TimedOut: WireState.TIMED_OUT,
};

export function operatorToProto(record: OperatorRecord): Operator {
  return create(OperatorSchema, {
    ...record,
    id: BigInt(record.id),
    regionId: BigInt(record.regionId),
    state: states[record.state],
    steps: record.steps.map((step) => ({
      ...step,
      startedMs: BigInt(step.startedMs),
      endedMs: BigInt(step.endedMs),
    })),
    createdMs: BigInt(record.createdMs),
    startedMs: BigInt(record.startedMs),
    endedMs: BigInt(record.endedMs),
  });
}

/** @throws RdbError RDB_DATA_FORMAT for a state that this program does not know */
export function operatorFromProto(message: Operator): OperatorRecord {
  return {
    id: safeInteger(message.id, "operator id"),
    kind: message.kind,
    origin: message.origin,
    regionId: safeInteger(message.regionId, "region id"),
    state: stateFromProto(message.state),
    steps: message.steps.map((step) => ({
      kind: step.kind,
      text: step.text,
      startedMs: safeInteger(step.startedMs, "time"),
      endedMs: safeInteger(step.endedMs, "time"),
    })),
    currentStep: message.currentStep,
    createdMs: safeInteger(message.createdMs, "time"),
    startedMs: safeInteger(message.startedMs, "time"),
    endedMs: safeInteger(message.endedMs, "time"),
    // A word that only a newer program knows is shown as it is.
    endReason: message.endReason as CancelReason | "",
    endMessage: message.endMessage,
    motive: message.motive,
  };
}

function stateFromProto(state: WireState): OperatorState {
  for (const [name, value] of Object.entries(states)) {
    if (value === state) {
      return name as OperatorState;
    }
  }
  throw new RdbError("RDB_DATA_FORMAT", `operator state ${state} is not known: run a newer version`);
}

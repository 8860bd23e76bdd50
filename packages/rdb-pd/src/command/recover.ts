import { create } from "@bufbuild/protobuf";
import { RdbError, regionId, safeInteger, storeId } from "@flaredb/rdb-base";
import {
  type Recovery,
  type RecoveryResult,
  RecoverySchema,
  RecoveryState,
  type RecoveryStep,
  RecoveryStepSchema,
  RecoveryStepState,
  regionFromProto,
} from "@flaredb/rdb-proto";
import type { DurableState } from "../cluster/durable-state.ts";
import type { CommandOf, CommandResults } from "./command.ts";

/**
 * Gives Stores up and puts on record what is to be saved without them. Their peers are replaced as those of Stores that
 * are being emptied, and they are refused from now on.
 *
 * @throws RdbError RDB_ALREADY_EXISTS while another recovery goes on; RDB_NOT_FOUND for a Store that never was;
 * RDB_EPOCH_NOT_MATCH when what is to be made anew is there by now
 */
export function beginRecovery(
  state: DurableState,
  { recovery }: CommandOf<"BeginRecovery">,
): CommandResults["BeginRecovery"] {
  const running = [...state.recoveries.values()].find((each) => each.state === RecoveryState.RUNNING);
  if (running !== undefined) {
    throw new RdbError("RDB_ALREADY_EXISTS", `recovery ${running.id} goes on: wait for it, or cancel it`);
  }
  const lost = recovery.lostStoreIds.map((id) => {
    const store = state.stores.get(storeId(id));
    if (store === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `store ${id} is not known`);
    }
    return store;
  });
  const empty = recovery.emptyRegions.map(regionFromProto);
  for (const region of empty) {
    const reason = state.regions.staleReason(region);
    if (reason !== undefined) {
      throw new RdbError("RDB_EPOCH_NOT_MATCH", `region ${region.id} cannot be made: ${reason}`);
    }
  }
  for (const store of lost.filter(({ isTombstone }) => !isTombstone)) {
    state.putStore({ ...store, isLost: true, isDraining: true });
  }
  for (const region of empty) {
    state.putRegion(region);
    state.setForming(region.id, true);
  }
  state.putRecovery(ended(recovery, recovery.startedMs));
  return {};
}

/** Steps that ended; one that has ended before stays as it is. */
export function recordRecovery(
  state: DurableState,
  { recoveryId, results, isCancelled, nowMs }: CommandOf<"RecordRecovery">,
): CommandResults["RecordRecovery"] {
  const recovery = state.recoveries.get(recoveryId);
  if (recovery === undefined) {
    throw new RdbError("RDB_NOT_FOUND", `recovery ${recoveryId} is not on record`);
  }
  if (recovery.state !== RecoveryState.RUNNING) {
    return {};
  }
  const byRegion = new Map(results.map((result) => [safeInteger(result.regionId, "region id"), result]));
  const steps = recovery.steps.map((step) => {
    const result = byRegion.get(regionId(step.order?.regionId ?? 0));
    return step.state === RecoveryStepState.PENDING ? settled(step, result, isCancelled) : step;
  });
  const next = create(RecoverySchema, { ...recovery, steps });
  if (isCancelled) {
    state.putRecovery(
      create(RecoverySchema, { ...next, state: RecoveryState.CANCELLED, endedMs: BigInt(nowMs) }),
    );
  } else {
    state.putRecovery(ended(next, BigInt(nowMs)));
  }
  return {};
}

function settled(step: RecoveryStep, result: RecoveryResult | undefined, isCancelled: boolean): RecoveryStep {
  if (result !== undefined) {
    const { ok, message } = result;
    const state = ok ? RecoveryStepState.DONE : RecoveryStepState.REFUSED;
    return create(RecoveryStepSchema, { ...step, state, message });
  }
  return isCancelled ? create(RecoveryStepSchema, { ...step, state: RecoveryStepState.CANCELLED }) : step;
}

/** The recovery, ended if nothing of it is left to do. */
function ended(recovery: Recovery, nowMs: bigint): Recovery {
  return recovery.steps.some(({ state }) => state === RecoveryStepState.PENDING)
    ? recovery
    : create(RecoverySchema, { ...recovery, state: RecoveryState.DONE, endedMs: nowMs });
}

import { formatKey } from "@flaredb/rdb-base";
import {
  type Recovery,
  type RecoveryPlan,
  RecoveryState,
  type RecoveryStep,
  RecoveryStepState,
} from "@flaredb/rdb-proto";
import { z } from "zod";
import { count, id, timeMs } from "../schemas.ts";

const rangeSchema = z.strictObject({
  startKey: z.string(),
  endKey: z.string().describe("Empty: no bound."),
});

const stepState = z.enum(["pending", "done", "refused", "cancelled", "unknown"]);
const recoveryState = z.enum(["running", "done", "cancelled", "unknown"]);

const stepSchema = z
  .strictObject({
    regionId: id,
    storeId: id,
    peerId: id.describe("It becomes the only peer of the Region."),
    lastTerm: count,
    lastIndex: count.describe("The last entry of its log."),
    appliedIndex: count,
    ranges: z.array(rangeSchema).describe("What it keeps: what no newer Region has."),
    isLearner: z.boolean(),
    dropsUnapplied: z
      .boolean()
      .describe("It missed a split or merge: entries behind `appliedIndex` are dropped."),
    droppedPeerCount: count.describe("Other peers of it that survived, and go."),
    state: stepState,
    message: z.string().describe("Why it was refused."),
  })
  .meta({ id: "RecoveryStep", description: "A Region without a quorum that comes back from one peer." });

const lostRangeSchema = z.strictObject({ ...rangeSchema.shape, reason: z.string() });

export const planSchema = z
  .strictObject({
    lostStoreIds: z.array(id),
    createEmpty: z.boolean(),
    healthyRegionCount: count.describe("Regions with a quorum: they are left alone."),
    steps: z.array(stepSchema),
    lostRanges: z.array(lostRangeSchema).describe("Of which nothing is left."),
    waiting: z
      .array(z.strictObject({ regionId: id, reason: z.string() }))
      .describe("Without a quorum, and about to change: plan again afterwards."),
    fingerprint: z.string().describe("Names the plan by what it does."),
  })
  .meta({ id: "RecoveryPlan", description: "As `rdb unsafe-recover --dry-run --json` has it." });

export const recoverySchema = z
  .strictObject({
    id,
    state: recoveryState,
    lostStoreIds: z.array(id),
    steps: z.array(stepSchema),
    lostRanges: z.array(lostRangeSchema),
    emptyRegions: z.array(z.strictObject({ id, ...rangeSchema.shape })),
    startedMs: timeMs,
    endedMs: timeMs,
  })
  .meta({ id: "Recovery", description: "A plan that is being, or was, carried out." });

const stepStates: Readonly<Record<number, z.output<typeof stepState>>> = {
  [RecoveryStepState.PENDING]: "pending",
  [RecoveryStepState.DONE]: "done",
  [RecoveryStepState.REFUSED]: "refused",
  [RecoveryStepState.CANCELLED]: "cancelled",
};

const states: Readonly<Record<number, z.output<typeof recoveryState>>> = {
  [RecoveryState.RUNNING]: "running",
  [RecoveryState.DONE]: "done",
  [RecoveryState.CANCELLED]: "cancelled",
};

export function planDocument(plan: RecoveryPlan | undefined): z.output<typeof planSchema> {
  return {
    lostStoreIds: (plan?.lostStoreIds ?? []).map(Number),
    createEmpty: plan?.createEmpty ?? false,
    healthyRegionCount: plan?.healthyRegionCount ?? 0,
    steps: (plan?.steps ?? []).map(stepDocument),
    lostRanges: (plan?.lostRanges ?? []).map(lostRangeDocument),
    waiting: (plan?.waiting ?? []).map(({ regionId, reason }) => ({ regionId: Number(regionId), reason })),
    fingerprint: plan?.fingerprint ?? "",
  };
}

export function recoveryDocument(recovery: Recovery | undefined): z.output<typeof recoverySchema> {
  return {
    id: Number(recovery?.id ?? 0n),
    state: states[recovery?.state ?? 0] ?? "unknown",
    lostStoreIds: (recovery?.lostStoreIds ?? []).map(Number),
    steps: (recovery?.steps ?? []).map(stepDocument),
    lostRanges: (recovery?.lostRanges ?? []).map(lostRangeDocument),
    emptyRegions: (recovery?.emptyRegions ?? []).map((region) => ({
      id: Number(region.id),
      ...rangeDocument(region),
    })),
    startedMs: Number(recovery?.startedMs ?? 0n),
    endedMs: Number(recovery?.endedMs ?? 0n),
  };
}

function stepDocument(step: RecoveryStep): z.output<typeof stepSchema> {
  const { order, storeId, lastTerm, lastIndex, appliedIndex, state } = step;
  const { isLearner, dropsUnapplied, droppedPeerCount, message } = step;
  return {
    ...{ regionId: Number(order?.regionId), storeId: Number(storeId), peerId: Number(order?.peerId) },
    ...{ lastTerm: Number(lastTerm), lastIndex: Number(lastIndex), appliedIndex: Number(appliedIndex) },
    ranges: (order?.pieces ?? []).map(rangeDocument),
    ...{ isLearner, dropsUnapplied, droppedPeerCount, message },
    state: stepStates[state] ?? "unknown",
  };
}

function lostRangeDocument(range: RecoveryPlan["lostRanges"][number]): z.output<typeof lostRangeSchema> {
  return { ...rangeDocument(range), reason: range.reason };
}

function rangeDocument(range: {
  readonly startKey: Uint8Array;
  readonly endKey: Uint8Array;
}): z.output<typeof rangeSchema> {
  return { startKey: formatKey(range.startKey), endKey: formatKey(range.endKey) };
}

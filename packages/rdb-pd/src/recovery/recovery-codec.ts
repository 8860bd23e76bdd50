import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import {
  type Region,
  type StoreId,
  assert,
  formatRange,
  peerById,
  peerId,
  regionId,
} from "@flaredb/rdb-base";
import {
  type RecoveryPlan as WirePlan,
  RecoveryPlanSchema,
  type RecoveryStep as WireStep,
  RecoveryStepSchema,
  RecoveryStepState,
  epochToProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { RecoveryPlan, RecoveryStep } from "./plan-recovery.ts";

const FINGERPRINT_LENGTH = 16;

/** What was wished for. */
export interface RecoveryWish {
  readonly lostStoreIds: readonly StoreId[];
  readonly createEmpty: boolean;
}

/** What an order needs beyond the plan; ids are drawn for those that are carried out only. */
export interface OrderDetails {
  readonly recoveryId: number;
  readonly newId: () => number;
  /** The greatest that PD has heard of. */
  readonly knownTerm: (step: RecoveryStep) => number;
}

/** Of a plan that is only shown. */
const UNDRAWN: OrderDetails = { recoveryId: 0, newId: () => 0, knownTerm: () => 0 };

export function planToProto(plan: RecoveryPlan, wish: RecoveryWish): WirePlan {
  return create(RecoveryPlanSchema, {
    lostStoreIds: wish.lostStoreIds.map(BigInt),
    createEmpty: wish.createEmpty,
    steps: plan.steps.map((step) => stepToProto(step, UNDRAWN)),
    lostRanges: plan.lostRanges.map(({ range, reason }) => ({ ...range, reason })),
    waiting: plan.waiting.map(({ regionId: id, reason }) => ({ regionId: BigInt(id), reason })),
    healthyRegionCount: plan.healthyRegionCount,
    fingerprint: fingerprintOf(plan, wish),
  });
}

/** Names what a plan does; what goes on elsewhere in the cluster does not change it. */
export function fingerprintOf(plan: RecoveryPlan, { lostStoreIds, createEmpty }: RecoveryWish): string {
  const steps = plan.steps.map(
    ({ survivor: { region, peerId: id, lastTerm, lastIndex }, pieces, ...step }) => [
      ...[region.id, id, region.epoch.confVer, region.epoch.version, lastTerm, lastIndex],
      ...[step.epoch.confVer, step.epoch.version, step.endsMerge, pieces.map(formatRange)],
    ],
  );
  const lost = plan.lostRanges.map(({ range }) => formatRange(range));
  const text = JSON.stringify([[...lostStoreIds].sort((a, b) => a - b), createEmpty, steps, lost]);
  return createHash("sha256").update(text).digest("hex").slice(0, FINGERPRINT_LENGTH);
}

export function stepToProto(step: RecoveryStep, { recoveryId, newId, knownTerm }: OrderDetails): WireStep {
  const { survivor } = step;
  const own = peerById(survivor.region, survivor.peerId);
  assert(own !== undefined, "a surveyed peer is one of its Region's");
  const pieces = step.pieces.map((range, place): Region => {
    const isOwn = place === 0;
    const peer = { ...own, role: "Voter" as const };
    return {
      ...{ startKey: range.startKey, endKey: range.endKey, epoch: step.epoch },
      id: isOwn ? survivor.region.id : (newId() as Region["id"]),
      peers: [isOwn ? peer : { ...peer, id: newId() as typeof peer.id }],
    };
  });
  return create(RecoveryStepSchema, {
    order: {
      ...{ recoveryId: BigInt(recoveryId), regionId: BigInt(survivor.region.id) },
      ...{ peerId: BigInt(survivor.peerId), epoch: epochToProto(survivor.region.epoch) },
      ...{ term: BigInt(Math.max(step.greatestTerm, knownTerm(step)) + 1), endsMerge: step.endsMerge },
      pieces: pieces.map(regionToProto),
    },
    ...{ storeId: BigInt(survivor.storeId), isLearner: own.role === "Learner" },
    ...{ lastTerm: BigInt(survivor.lastTerm), lastIndex: BigInt(survivor.lastIndex) },
    ...{ appliedIndex: BigInt(survivor.appliedIndex), dropsUnapplied: step.dropsUnapplied },
    ...{ droppedPeerCount: step.droppedPeerCount, state: RecoveryStepState.PENDING },
  });
}

/** Ids that the further pieces of the plan need: of a Region and of its peer each. */
export function pieceIdCount(plan: RecoveryPlan): number {
  return plan.steps.reduce((count, { pieces }) => count + 2 * (pieces.length - 1), 0);
}

/** An empty Region, where nothing is left of what was. */
export function emptyRegion(
  { range, storeId }: { readonly range: Pick<Region, "startKey" | "endKey">; readonly storeId: StoreId },
  version: number,
  newId: () => number,
): Region {
  return {
    ...{ id: regionId(newId()), startKey: range.startKey, endKey: range.endKey },
    epoch: { confVer: 1, version },
    peers: [{ id: peerId(newId()), storeId, role: "Voter" }],
  };
}

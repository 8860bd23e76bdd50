import { type RegionId, assert, epochsEqual } from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import type { OperatorPlan, OperatorPriority } from "../placement/operator-plan.ts";
import type { Operator } from "./operator.ts";

/** Why a plan is not taken. */
export interface AddRefusal {
  readonly reason: "region-gone" | "epoch-changed" | "busy" | "too-many" | "no-id";
  readonly message: string;
}

/** What there is when a plan comes. */
export interface AdmissionScene {
  /** Operators that have its Regions. */
  readonly others: readonly Operator[];
  readonly activeCount: number;
  readonly region: (id: RegionId) => RegionInfo | undefined;
}

const ranks: Readonly<Record<OperatorPriority, number>> = { Low: 0, Medium: 1, High: 2, Urgent: 3 };

export function rankOf(plan: OperatorPlan): number {
  return ranks[plan.priority];
}

/** The Regions that nothing else may change while the plan is carried out. */
export function touchedRegionIds(plan: OperatorPlan): RegionId[] {
  const targets = plan.steps.flatMap((step) => (step.kind === "merge" ? [step.target.id] : []));
  return [plan.regionId, ...targets];
}

/** Why the plan cannot be taken, or undefined. */
export function admissionRefusal(plan: OperatorPlan, scene: AdmissionScene): AddRefusal | undefined {
  assert(
    plan.steps.length >= 1 && plan.steps.length <= pdLimits.operatorMaxSteps,
    "an operator has 1 to operatorMaxSteps steps",
  );
  const info = scene.region(plan.regionId);
  const gone = touchedRegionIds(plan).find((id) => scene.region(id) === undefined);
  if (info === undefined || gone !== undefined) {
    return { reason: "region-gone", message: `region ${gone ?? plan.regionId} is no more` };
  }
  if (!epochsEqual(info.region.epoch, plan.epoch)) {
    return { reason: "epoch-changed", message: `region ${plan.regionId} changed since this was planned` };
  }
  const stays = scene.others.find((other) => !mayReplace(plan, other, scene.region(other.plan.regionId)));
  if (stays !== undefined) {
    const message = `region ${plan.regionId} has operator ${stays.id} (${stays.plan.kind} by ${stays.plan.origin}): wait for it, or cancel it`;
    return { reason: "busy", message };
  }
  if (scene.activeCount >= pdLimits.operatorMaxCount) {
    const message = `${scene.activeCount} operators wait or run, operatorMaxCount is ${pdLimits.operatorMaxCount}`;
    return { reason: "too-many", message };
  }
  return undefined;
}

/** Only what is urgent takes another's place, and not while that one has left its Region between two states. */
function mayReplace(plan: OperatorPlan, other: Operator, info: RegionInfo | undefined): boolean {
  if (plan.repairs === true) {
    return yieldsToRepair(other, info);
  }
  const isHigher = rankOf(plan) > rankOf(other.plan);
  return (plan.priority === "Urgent" || plan.origin === "admin") && isHigher && !isBetween(info);
}

/**
 * Whether a repair of a Region of the operator takes its place: what PD wants for balance can wait, and a merge is not
 * begun by any Store while a peer is lost. What people want else goes on: it may be the repair.
 *
 * @param info the operator's own Region, for a merge its source
 */
export function yieldsToRepair(operator: Operator, info: RegionInfo | undefined): boolean {
  const { plan, step } = operator;
  const canWait = rankOf(plan) < ranks.High || step.kind === "merge";
  return plan.repairs !== true && canWait && !isBetween(info);
}

/** Whether the Region is in a joint configuration, or waits for the end of its merge: that is left as it is. */
function isBetween(info: RegionInfo | undefined): boolean {
  return (
    info?.status?.isMerging === true ||
    info?.region.peers.some(({ role }) => role === "IncomingVoter" || role === "DemotingVoter") === true
  );
}

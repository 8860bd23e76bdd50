import {
  type Peer,
  type PeerId,
  type Region,
  type StoreId,
  assertNever,
  compareKeys,
  keyInRange,
  peerById,
  peerOnStore,
} from "@flaredb/rdb-base";
import type { StoreCondition } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { CancelReason, OperatorPlan, OperatorStep, StepPeer } from "../placement/operator-plan.ts";

/** One change of a Region's peers, as the leader is told. */
export interface PeerChange {
  readonly kind: "AddLearner" | "Promote" | "Remove";
  readonly peerId: PeerId;
  readonly storeId: StoreId;
}

/** What a Region's leader is told to do. */
export type LeaderCommand =
  | { readonly kind: "ChangePeers"; readonly changes: readonly PeerChange[] }
  | { readonly kind: "TransferLeader"; readonly toPeerId: PeerId }
  | { readonly kind: "Split"; readonly keys: readonly Uint8Array[]; readonly partCount: number }
  | { readonly kind: "Merge"; readonly target: Region };

/** How a step stands. */
export type StepVerdict =
  | { readonly kind: "done" }
  | { readonly kind: "send"; readonly command: LeaderCommand }
  | { readonly kind: "wait"; readonly reason: string }
  | { readonly kind: "fail"; readonly reason: CancelReason; readonly message: string };

/** What a step is judged by: what the Region's leader last reported, and nothing that was sent or hoped for. */
export interface StepScene {
  readonly plan: OperatorPlan;
  /** Undefined: the Region is no more. */
  readonly info: RegionInfo | undefined;
  /** Any Region, as it is now. */
  readonly region: (id: Region["id"]) => RegionInfo | undefined;
  /** Undefined: never registered. */
  readonly condition: (id: StoreId) => StoreCondition | undefined;
}

const DONE: StepVerdict = { kind: "done" };

/** Whether the step is done, what to tell the leader for it, what it waits for, or why it cannot be done any more. */
export function judgeStep(step: OperatorStep, scene: StepScene): StepVerdict {
  const { info, plan } = scene;
  if (step.kind === "merge") {
    return judgeMerge(step, scene);
  }
  if (info === undefined) {
    return fail("region-gone", `region ${plan.regionId} is no more`);
  }
  switch (step.kind) {
    case "add-learner":
      return judgeAdd(step, info.region, scene);
    case "promote":
      return judgePromote(step, info, scene);
    case "remove-peer":
      return judgeRemove(step, info, scene);
    case "enter-joint":
      return judgeEnterJoint(step, info, scene);
    case "leave-joint":
      return judgeLeaveJoint(step, info, scene);
    case "transfer-leader":
      return judgeTransfer(step, info, scene);
    case "split":
      return judgeSplit(step, info.region, plan);
    default:
      return assertNever(step, "step of an operator");
  }
}

function judgeAdd(step: StepPeer, region: Region, scene: StepScene): StepVerdict {
  if (peerById(region, step.peerId) !== undefined) {
    return DONE;
  }
  const other = peerOnStore(region, step.storeId);
  if (other !== undefined) {
    return fail("epoch-changed", `store ${step.storeId} got peer ${other.id} of the region meanwhile`);
  }
  return storeLost(step.storeId, scene) ?? change([{ kind: "AddLearner", ...bare(step) }]);
}

function judgePromote(step: StepPeer, info: RegionInfo, scene: StepScene): StepVerdict {
  const peer = peerById(info.region, step.peerId);
  if (peer === undefined) {
    return peerMissing(step);
  }
  if (peer.role !== "Learner") {
    return DONE;
  }
  return (
    storeLost(step.storeId, scene) ?? caughtUp([step], info) ?? change([{ kind: "Promote", ...bare(step) }])
  );
}

function judgeRemove(step: StepPeer, info: RegionInfo, scene: StepScene): StepVerdict {
  if (peerById(info.region, step.peerId) === undefined) {
    return DONE;
  }
  return leaderLeaves([step], info, scene) ?? change([{ kind: "Remove", ...bare(step) }]);
}

function judgeEnterJoint(
  step: Extract<OperatorStep, { kind: "enter-joint" }>,
  info: RegionInfo,
  scene: StepScene,
): StepVerdict {
  const roleOf = ({ peerId }: StepPeer): Peer["role"] | undefined => peerById(info.region, peerId)?.role;
  const missing = step.promote.find((peer) => roleOf(peer) === undefined);
  if (missing !== undefined) {
    return peerMissing(missing);
  }
  const isPromoted = step.promote.every((peer) => roleOf(peer) !== "Learner");
  const isDemoted = step.demote.every((peer) => roleOf(peer) !== "Voter");
  if (isPromoted && isDemoted) {
    return DONE;
  }
  for (const { storeId } of step.promote) {
    const lost = storeLost(storeId, scene);
    if (lost !== undefined) {
      return lost;
    }
  }
  return (
    caughtUp(step.promote, info) ??
    leaderLeaves(step.demote, info, scene) ??
    change([
      ...step.promote.map((peer) => ({ kind: "Promote" as const, ...bare(peer) })),
      ...step.demote.map((peer) => ({ kind: "AddLearner" as const, ...bare(peer) })),
    ])
  );
}

function judgeLeaveJoint(
  step: Extract<OperatorStep, { kind: "leave-joint" }>,
  info: RegionInfo,
  scene: StepScene,
): StepVerdict {
  const isJoint = info.region.peers.some(({ role }) => role === "IncomingVoter" || role === "DemotingVoter");
  // Who is demoted may have been elected inside the joint configuration, and cannot lead outside of it.
  return isJoint ? (leaderLeaves(step.demote, info, scene) ?? change([])) : DONE;
}

function judgeTransfer(
  step: Extract<OperatorStep, { kind: "transfer-leader" }>,
  info: RegionInfo,
  scene: StepScene,
): StepVerdict {
  if (info.status?.leader?.storeId === step.toStoreId) {
    return DONE;
  }
  const to = peerOnStore(info.region, step.toStoreId);
  if (to === undefined || to.role === "Learner" || to.role === "DemotingVoter") {
    return fail("epoch-changed", `store ${step.toStoreId} has no voter of the region`);
  }
  const waits = caughtUp([{ storeId: to.storeId, peerId: to.id }], info) ?? storeAway(to.storeId, scene);
  return (
    storeLost(step.toStoreId, scene) ??
    waits ?? {
      kind: "send",
      command: { kind: "TransferLeader", toPeerId: to.id },
    }
  );
}

function judgeSplit(
  { keys, partCount }: Extract<OperatorStep, { kind: "split" }>,
  region: Region,
  plan: OperatorPlan,
): StepVerdict {
  if (region.epoch.version === plan.epoch.version) {
    return { kind: "send", command: { kind: "Split", keys, partCount } };
  }
  const uncut = keys.find((key) => keyInRange(key, region) && compareKeys(key, region.startKey) !== 0);
  return uncut === undefined
    ? DONE
    : fail("epoch-changed", "the region was cut elsewhere meanwhile, and a wanted key is still inside");
}

function judgeMerge(
  step: Extract<OperatorStep, { kind: "merge" }>,
  { info, region: regionOf }: StepScene,
): StepVerdict {
  const target = regionOf(step.target.id)?.region;
  if (info === undefined) {
    return target !== undefined && keyInRange(step.source.startKey, target)
      ? DONE
      : fail(
          "region-gone",
          `region ${step.source.id} is no more, and region ${step.target.id} has not its range`,
        );
  }
  if (target === undefined) {
    return fail("region-gone", `region ${step.target.id}, which was to take it, is no more`);
  }
  if (info.status?.isMerging === true) {
    return { kind: "wait", reason: `region ${target.id} takes it` };
  }
  if (info.region.epoch.version !== step.source.epoch.version) {
    return fail("epoch-changed", "the merge was rolled back, or the region was split meanwhile");
  }
  return { kind: "send", command: { kind: "Merge", target } };
}

/** A peer that has to go must not lead: its leadership goes first, wherever an election may have put it since. */
function leaderLeaves(
  leaving: readonly StepPeer[],
  { region, status }: RegionInfo,
  scene: StepScene,
): StepVerdict | undefined {
  const leader = status?.leader;
  if (leader === undefined || !leaving.some(({ peerId }) => peerId === leader.id)) {
    return undefined;
  }
  const heir = region.peers.find(
    (peer) =>
      (peer.role === "Voter" || peer.role === "IncomingVoter") &&
      !leaving.some(({ peerId }) => peerId === peer.id) &&
      !isLaggard(peer.id, { region, status }) &&
      scene.condition(peer.storeId) === "Up",
  );
  return heir === undefined
    ? { kind: "wait", reason: `peer ${leader.id} leads, and no other voter can` }
    : { kind: "send", command: { kind: "TransferLeader", toPeerId: heir.id } };
}

function caughtUp(peers: readonly StepPeer[], info: RegionInfo): StepVerdict | undefined {
  const behind = peers.find(({ peerId }) => isLaggard(peerId, info));
  return behind === undefined
    ? undefined
    : { kind: "wait", reason: `peer ${behind.peerId} on store ${behind.storeId} is still behind` };
}

function isLaggard(id: PeerId, { status }: RegionInfo): boolean {
  return status !== undefined && (status.pendingPeerIds.includes(id) || status.downPeerIds.includes(id));
}

function storeLost(id: StoreId, scene: StepScene): StepVerdict | undefined {
  const condition = scene.condition(id);
  if (condition === undefined || condition === "Tombstone") {
    return fail("store-gone", `store ${id} is gone for good`);
  }
  return condition === "Down" ? fail("store-down", `store ${id} is down`) : undefined;
}

/** It may be back soon; nothing is to be led there meanwhile. */
function storeAway(id: StoreId, scene: StepScene): StepVerdict | undefined {
  return scene.condition(id) === "Up"
    ? undefined
    : { kind: "wait", reason: `store ${id} is silent, or its stream ended` };
}

function peerMissing({ peerId, storeId }: StepPeer): StepVerdict {
  return fail("epoch-changed", `peer ${peerId} on store ${storeId} is no more`);
}

function change(changes: readonly PeerChange[]): StepVerdict {
  return { kind: "send", command: { kind: "ChangePeers", changes } };
}

function fail(reason: CancelReason, message: string): StepVerdict {
  return { kind: "fail", reason, message };
}

function bare({ peerId, storeId }: StepPeer): StepPeer {
  return { peerId, storeId };
}

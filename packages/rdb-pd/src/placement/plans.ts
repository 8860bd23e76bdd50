import { type Peer, type PeerId, type StoreId, assert, peerOnStore } from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { OperatorPlan, OperatorPriority, OperatorStep } from "./operator-plan.ts";

/** Who wants a plan and why. */
export interface PlanHead {
  readonly kind: string;
  readonly origin: string;
  readonly priority: OperatorPriority;
  readonly motive: string;
  /** See `OperatorPlan`. */
  readonly repairs?: boolean;
}

/** A plan for the Region as it is now. */
export function planFor(info: RegionInfo, head: PlanHead, steps: readonly OperatorStep[]): OperatorPlan {
  const { region, status } = info;
  return {
    ...head,
    regionId: region.id,
    range: { startKey: region.startKey, endKey: region.endKey },
    epoch: region.epoch,
    approximateSizeBytes: status?.approximateSizeBytes ?? 0,
    steps,
  };
}

/** A new voter: it learns first, and votes once it has caught up. */
export function addPeerSteps(storeId: StoreId, peerId: PeerId): OperatorStep[] {
  return [
    { kind: "add-learner", storeId, peerId },
    { kind: "promote", storeId, peerId },
  ];
}

/** The peer goes; if it leads, `heir` leads first. */
export function removePeerSteps(info: RegionInfo, peer: Peer, heir: Peer | undefined): OperatorStep[] {
  const removal: OperatorStep = { kind: "remove-peer", storeId: peer.storeId, peerId: peer.id };
  return info.status?.leader?.id === peer.id && heir !== undefined
    ? [{ kind: "transfer-leader", fromStoreId: peer.storeId, toStoreId: heir.storeId }, removal]
    : [removal];
}

/**
 * A peer in place of another one, on another Store, with a quorum of the old and the new voters throughout: the new one
 * learns, both change their votes in one joint step, the old one goes. Who leads and has to go hands the leadership to
 * `heir` first; without an heir the new peer becomes a voter beside it, and leads.
 */
export function movePeerSteps(
  info: RegionInfo,
  move: {
    readonly from: Peer;
    readonly toStoreId: StoreId;
    readonly newPeerId: PeerId;
    readonly heir: Peer | undefined;
  },
): OperatorStep[] {
  const { from, toStoreId, newPeerId, heir } = move;
  assert(peerOnStore(info.region, toStoreId) === undefined, "the new peer's Store has none of the Region");
  const old = { storeId: from.storeId, peerId: from.id };
  const fresh = { storeId: toStoreId, peerId: newPeerId };
  const add: OperatorStep = { kind: "add-learner", ...fresh };
  const remove: OperatorStep = { kind: "remove-peer", ...old };
  if (from.role === "Learner") {
    return [add, remove];
  }
  const leads = info.status?.leader?.id === from.id;
  if (leads && heir === undefined) {
    return [
      add,
      { kind: "promote", ...fresh },
      { kind: "transfer-leader", fromStoreId: old.storeId, toStoreId },
      remove,
    ];
  }
  const transfer: OperatorStep[] =
    leads && heir !== undefined
      ? [{ kind: "transfer-leader", fromStoreId: old.storeId, toStoreId: heir.storeId }]
      : [];
  const joint = { promote: [fresh], demote: [old] };
  return [add, ...transfer, { kind: "enter-joint", ...joint }, { kind: "leave-joint", ...joint }, remove];
}

import { type Peer, epochsEqual, peerById } from "@flaredb/rdb-base";
import type { RegionInfo, RegionStatus } from "../../cluster/region-info.ts";
import type { PlacementView } from "../placement-view.ts";

/** A Region of which the leader's word is of the peers that it has now. */
export interface LedRegion extends RegionInfo {
  readonly status: RegionStatus;
  readonly leader: Peer;
}

/**
 * The Region with its leader, or why nobody can change it now: without a leader nothing is carried out, and what a
 * leader said of other peers than there are now is no ground to decide on.
 */
export function ledRegion(info: RegionInfo): LedRegion | string {
  const { region, status } = info;
  if (status === undefined) {
    return "no leader has reported since the placement driver's start";
  }
  if (!epochsEqual(status.epoch, region.epoch)) {
    return "its leader has not reported since it changed";
  }
  const leader = status.leader === undefined ? undefined : peerById(region, status.leader.id);
  return leader === undefined ? "no leader is known" : { region, status, leader };
}

/** Whether the leader hears the peer, and the peer keeps up and is sound. */
export function isHealthy(peer: Peer, { status }: LedRegion): boolean {
  return (
    !status.downPeerIds.includes(peer.id) &&
    !status.pendingPeerIds.includes(peer.id) &&
    !status.damagedPeerIds.includes(peer.id)
  );
}

/** It votes, now and after a joint configuration. */
export function isVoter(peer: Peer): boolean {
  return peer.role === "Voter" || peer.role === "IncomingVoter";
}

export function isJoint(info: RegionInfo): boolean {
  return info.region.peers.some(({ role }) => role === "IncomingVoter" || role === "DemotingVoter");
}

/**
 * Why balance leaves the Region alone: only one that is whole and quiet is moved for the sake of others. Undefined when
 * it may be.
 */
export function unrestReason(info: RegionInfo, view: PlacementView): string | undefined {
  const led = ledRegion(info);
  if (typeof led === "string") {
    return led;
  }
  const { region, status } = led;
  if (status.isMerging) {
    return "it is being merged";
  }
  const voters = region.peers.filter(({ role }) => role === "Voter");
  if (voters.length !== region.peers.length || voters.length !== view.replicaCount) {
    return `it has ${voters.length} voters of ${region.peers.length} peers, ${view.replicaCount} voters are wanted`;
  }
  const ill = region.peers.find((peer) => !isHealthy(peer, led));
  if (ill !== undefined) {
    return `peer ${ill.id} on store ${ill.storeId} is down, behind or damaged`;
  }
  const gone = region.peers.find(({ storeId }) => view.store(storeId)?.condition !== "Up");
  return gone === undefined ? undefined : `store ${gone.storeId} is not up`;
}

import type { PeerId, RegionId, StoreId } from "./ids.ts";
import type { KeyRange } from "./key-range.ts";

/** Which configuration of a Region something was meant for. Neither number ever goes back. */
export interface RegionEpoch {
  /** Rises by one with each change of the peers. */
  readonly confVer: number;
  /** Rises with each change of the range. */
  readonly version: number;
}

/**
 * What a peer counts for. `IncomingVoter` and `DemotingVoter` exist only inside a joint configuration: the first
 * votes in the new one, the second only in the old one and is a learner after.
 */
export type PeerRole = "Voter" | "Learner" | "IncomingVoter" | "DemotingVoter";

/** One replica of a Region. */
export interface Peer {
  readonly id: PeerId;
  readonly storeId: StoreId;
  readonly role: PeerRole;
}

/** A key range, the unit of replication. */
export interface Region extends KeyRange {
  readonly id: RegionId;
  readonly epoch: RegionEpoch;
  /** In no particular order; at most one on each Store. */
  readonly peers: readonly Peer[];
}

export function epochsEqual(a: RegionEpoch, b: RegionEpoch): boolean {
  return a.confVer === b.confVer && a.version === b.version;
}

/** Whether `a` is known to be out of date when `b` exists: either number is lower. */
export function epochIsStale(a: RegionEpoch, b: RegionEpoch): boolean {
  return a.version < b.version || a.confVer < b.confVer;
}

export function peerOnStore(region: Region, storeId: StoreId): Peer | undefined {
  return region.peers.find((peer) => peer.storeId === storeId);
}

export function peerById(region: Region, peerId: PeerId): Peer | undefined {
  return region.peers.find((peer) => peer.id === peerId);
}

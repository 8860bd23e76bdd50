import type { Peer, PeerId, Region, RegionEpoch, RegionId, StoreId } from "@flaredb/rdb-base";

/** Of a Region, or of all that a Store leads; each a second. */
export interface RegionLoad {
  readonly writtenBytesPerSecond: number;
  readonly writtenKeysPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly readKeysPerSecond: number;
}

export const NO_LOAD: RegionLoad = {
  writtenBytesPerSecond: 0,
  writtenKeysPerSecond: 0,
  readBytesPerSecond: 0,
  readKeysPerSecond: 0,
};

/** What a Region's leader said of it last. In memory only. */
export interface RegionStatus {
  /** Undefined once the Store that led says that it does no more. */
  readonly leader: Peer | undefined;
  /** The Region's when its leader said this: what the leader said of peers and load is of that epoch. */
  readonly epoch: RegionEpoch;
  /** The leader's term; an older one's report is ignored. */
  readonly term: number;
  readonly approximateSizeBytes: number;
  readonly approximateKeyCount: number;
  /** Peers that the leader has not heard of for a while. */
  readonly downPeerIds: readonly PeerId[];
  /** Peers that are behind or being sent a snapshot. */
  readonly pendingPeerIds: readonly PeerId[];
  /** Peers whose rows differ from the leader's: they serve nobody and are to be replaced. */
  readonly damagedPeerIds: readonly PeerId[];
  readonly load: RegionLoad;
  /** The last entry at which the peers were found equal; 0: not in this term. */
  readonly verifiedIndex: number;
  /** It waits for its neighbour to take it, and takes no writes. */
  readonly isMerging: boolean;
  /** Wall clock, milliseconds since 1970. */
  readonly reportedMs: number;
}

/** A Region with everything that PD knows of it. */
export interface RegionInfo {
  readonly region: Region;
  /** Undefined until a leader has reported since PD's start. */
  readonly status: RegionStatus | undefined;
}

/** One Region on the Store that reports it. */
export interface PeerReport {
  readonly regionId: RegionId;
  readonly peerId: PeerId;
  readonly epoch: RegionEpoch;
  readonly isLeader: boolean;
}

/** What a leader adds. Invariant: the Region has this peer on this Store, at this epoch. */
export interface LeaderReport extends PeerReport {
  readonly isLeader: true;
  readonly storeId: StoreId;
  readonly region: Region;
  readonly term: number;
  readonly approximateSizeBytes: number;
  readonly approximateKeyCount: number;
  readonly downPeerIds: readonly PeerId[];
  readonly pendingPeerIds: readonly PeerId[];
  readonly damagedPeerIds: readonly PeerId[];
  readonly load: RegionLoad;
  readonly verifiedIndex: number;
  readonly isMerging: boolean;
}

interface FollowerReport extends PeerReport {
  readonly isLeader: false;
}

export type Report = LeaderReport | FollowerReport;

import type { Peer, Region, RegionEpoch, RegionId } from "@flaredb/rdb-base";

/** Why a command of PD is not carried out (proto `CommandRefusalReason`). */
export type AdminRefusalReason =
  | "NotLeader"
  | "EpochNotMatch"
  | "Busy"
  | "QuorumAtRisk"
  | "IsLeader"
  | "PeerBehind"
  | "Invalid"
  | "ClusterVersion";

/** Taken: it is in the log, and shows in the Region's reports once it is applied. Or refused, and nothing changed. */
export type AdminOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: AdminRefusalReason; readonly message: string };

/** What a command of PD is about. Refused with EpochNotMatch when the Region is at another epoch. */
export interface AdminTarget {
  readonly regionId: RegionId;
  readonly epoch: RegionEpoch;
}

/** One change of a Region's peers. `peer.role` says nothing here: the kind does. */
export interface PeerChange {
  readonly kind: "AddLearner" | "Promote" | "Remove";
  readonly peer: Peer;
}

/** One change is made by itself; several enter a joint configuration; none leaves it. */
export interface ChangePeers extends AdminTarget {
  readonly changes: readonly PeerChange[];
}

export interface SplitRegion extends AdminTarget {
  /** Where to cut, rising, inside the range. Empty: into `partCount` parts of about equal size. */
  readonly keys: readonly Uint8Array[];
  readonly partCount: number;
}

export interface MergeRegion extends AdminTarget {
  readonly target: Region;
}

import type { Index, Peer, Region, RegionEpoch, RegionId, Term } from "@flaredb/rdb-base";
import type { KeyRange } from "@flaredb/rdb-base";
import type { Message } from "@flaredb/rdb-raft";

/** A message between two peers of one Region, as the loop sees it; its wire form is proto `RaftMessage`. */
export interface PeerMessage {
  readonly regionId: RegionId;
  readonly fromPeer: Peer;
  readonly toPeer: Peer;
  /** The sender's epoch of the Region. */
  readonly epoch: RegionEpoch;
  /** The sender's range of the Region: on votes, pre-votes and heartbeats, so that no peer is made over another Region. */
  readonly range: KeyRange | undefined;
  readonly payload: PeerPayload;
}

export type PeerPayload =
  | { readonly kind: "raft"; readonly message: Message }
  /** The receiving peer was removed at this epoch. */
  | { readonly kind: "tombstone"; readonly epoch: RegionEpoch }
  /** The receiving peer's Region is no more: this one took it, and was like this then. */
  | { readonly kind: "merged"; readonly into: Region }
  /** What became of a merge? To a peer of the Region that has the first key of its target; of a source's leader. */
  | { readonly kind: "askMerge"; readonly question: MergeQuestion }
  /** The target never takes the receiving peer's Region, whose PrepareMerge is this entry. */
  | { readonly kind: "mergeRefused"; readonly prepareIndex: Index }
  | { readonly kind: "hibernate"; readonly step: HibernateStep; readonly term: Term; readonly commit: Index }
  | { readonly kind: "replicaHash"; readonly report: ReplicaHash };

/** Of the leader of a merge's source (ADR 11). */
export interface MergeQuestion {
  /** As the source's PrepareMerge names it. */
  readonly target: Pick<Region, "id" | "epoch">;
  /** Of the source's PrepareMerge. */
  readonly prepareIndex: Index;
  /** The Region of the peer that is asked: the target, or one that has taken it since. */
  readonly keeper: RegionId;
  /** If nothing is decided, the target's leader is to decide against it. */
  readonly givesUp: boolean;
}

/** What a peer tells its leader of its rows. */
export interface ReplicaHash {
  /** Of the entry ComputeHash. */
  readonly index: number;
  readonly hash: Uint8Array;
  /** The peer's rows were found to be wrong earlier; the rest says nothing. */
  readonly isDamaged: boolean;
  /** The peer has halted: it neither votes nor acknowledges, and is damaged too. */
  readonly isHalted: boolean;
}

/** Ask and Agree: leader to voter and back. Sleep: leader to voter. Wake: anybody to anybody. */
export type HibernateStep = "Ask" | "Agree" | "Sleep" | "Wake";

/** Why a Store took no notice of a message. The sender is told. */
export type RefusalReason = "RegionNotFound" | "StoreNotMatch" | "ClusterMismatch" | "Busy" | "Malformed";

export interface Refusal {
  readonly regionId: RegionId;
  readonly toPeerId: number;
  readonly reason: RefusalReason;
}

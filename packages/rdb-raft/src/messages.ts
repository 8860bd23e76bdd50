import type { Index, PeerId, Term } from "@flaredb/rdb-base";

/** What an entry's data is. */
export type EntryType = "Normal" | "ConfChange" | "ConfChangeV2";

/** One position of the log. `data` is owned by the log once proposed: nobody writes to it again. */
export interface Entry {
  readonly term: Term;
  readonly index: Index;
  readonly type: EntryType;
  /** Empty for the entry that a new leader appends, and for the one that leaves a joint configuration. */
  readonly data: Uint8Array;
}

/** What must be durable before any message that depends on it is sent. */
export interface HardState {
  readonly term: Term;
  /** The peer voted for in `term`, or 0. */
  readonly vote: PeerId | 0;
  readonly commit: Index;
}

/** Volatile state that its driver may want to know of. */
export interface SoftState {
  /** The leader as far as known, or 0. */
  readonly lead: PeerId | 0;
  readonly role: Role;
}

export type Role = "Follower" | "PreCandidate" | "Candidate" | "Leader";

/** Who votes. `votersOutgoing` is not empty exactly while the configuration is joint (Raft thesis §4.3). */
export interface ConfState {
  readonly voters: readonly PeerId[];
  readonly learners: readonly PeerId[];
  readonly votersOutgoing: readonly PeerId[];
  /** Voters of the outgoing configuration that become learners when the joint one is left. */
  readonly learnersNext: readonly PeerId[];
  readonly autoLeave: boolean;
}

export interface SnapshotMetadata {
  readonly confState: ConfState;
  readonly index: Index;
  readonly term: Term;
}

/** A state machine's content up to an index. For a Region `data` only describes it: the content streams apart. */
export interface Snapshot {
  readonly metadata: SnapshotMetadata;
  readonly data: Uint8Array;
}

export type MessageType =
  | "MsgHup"
  | "MsgBeat"
  | "MsgProp"
  | "MsgApp"
  | "MsgAppResp"
  | "MsgVote"
  | "MsgVoteResp"
  | "MsgSnap"
  | "MsgHeartbeat"
  | "MsgHeartbeatResp"
  | "MsgUnreachable"
  | "MsgSnapStatus"
  | "MsgCheckQuorum"
  | "MsgTransferLeader"
  | "MsgTimeoutNow"
  | "MsgReadIndex"
  | "MsgReadIndexResp"
  | "MsgPreVote"
  | "MsgPreVoteResp"
  | "MsgStorageAppend"
  | "MsgStorageAppendResp"
  | "MsgStorageApply"
  | "MsgStorageApplyResp"
  | "MsgForgetLeader";

/** The local append thread and apply thread, as message targets, of async storage writes. */
export const LOCAL_APPEND_THREAD = -1 as unknown as PeerId;
export const LOCAL_APPLY_THREAD = -2 as unknown as PeerId;
/** No peer. */
export const NO_PEER = 0;

/**
 * A message of the protocol (etcd-io/raft `raftpb.Message`). Fields that a type does not use hold their zero:
 * 0, false, undefined or an empty array.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: PeerId | 0;
  readonly from: PeerId | 0;
  /** 0 for local messages. */
  readonly term: Term | 0;
  readonly logTerm: Term | 0;
  readonly index: Index | 0;
  readonly entries: readonly Entry[];
  readonly commit: Index | 0;
  /** Only on MsgStorageAppend, with `term` and `commit`: a HardState to persist. */
  readonly vote: PeerId | 0;
  readonly snapshot: Snapshot | undefined;
  readonly reject: boolean;
  readonly rejectHint: Index | 0;
  /** ReadIndex's request id, or the campaign type of a vote ("CampaignTransfer"). */
  readonly context: Uint8Array | undefined;
  /** What the storage threads deliver once their work is durable or applied. */
  readonly responses: readonly Message[];
}

export type ConfChangeType = "AddNode" | "RemoveNode" | "UpdateNode" | "AddLearnerNode";

export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: PeerId;
}

/** How a change of several peers is made. Auto: simple when at most one changes, else joint and left by itself. */
export type ConfChangeTransition = "Auto" | "JointImplicit" | "JointExplicit";

/** A change of the configuration. No `changes` and transition Auto: leave the joint configuration. */
export interface ConfChangeV2 {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  /** The driver's own; carried through. */
  readonly context: Uint8Array;
}

/** The older form: one change. Kept because the conformance files use it. */
export interface ConfChangeV1 {
  readonly type: ConfChangeType;
  readonly nodeId: PeerId;
  readonly context: Uint8Array;
}

import type { Index, PeerId, Random } from "@flaredb/rdb-base";
import type { RaftStorage } from "./storage.ts";

/** Where the core tells what it does. Called with a finished sentence; must not throw. */
export interface RaftLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** How reads are made linearizable: by a round to a quorum, or by the lease (needs checkQuorum). */
export type ReadOnlyOption = "Safe" | "LeaseBased";

/** Parameters of one RawNode (etcd-io/raft `Config`). Checked by `validateConfig`. */
export interface RaftConfig {
  /** This peer. Not 0. */
  readonly id: PeerId;
  /** Ticks without a leader's contact before an election; > heartbeatTicks, 10 times it is usual. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly storage: RaftStorage;
  readonly random: Random;
  readonly logger: RaftLogger;
  /** The last index that the state machine has applied. Default 0. */
  readonly applied?: Index;
  /** Use the append and apply threads of async storage writes. Default false. */
  readonly asyncStorageWrites?: boolean;
  /**
   * With async storage writes: send requests for votes while the candidate's own term and vote are still being
   * written, as etcd-io/raft does. Unsafe: a candidate that forgets them in a crash may campaign in the same term
   * again, with another log, and be elected by votes that were given to the first attempt. Only for comparing with
   * etcd. Default false: the requests are among the responses of the MsgStorageAppend that writes the vote.
   */
  readonly eagerVoteRequests?: boolean;
  /**
   * A peer that refuses a vote tells how far it knows the log to be committed. Without this, as in etcd-io/raft, a
   * group can be left without a leader for good: the only one who may win has the entry that left a joint
   * configuration but does not know that it is committed, asks voters of the old half, and these have longer logs.
   * Default true; false only for comparing with etcd.
   */
  readonly commitByRefusal?: boolean;
  /**
   * A candidate asks those again, once a heartbeat interval, that have not answered; after campaigns that ended undecided
   * less often, down to once an election timeout. Without this, as in etcd-io/raft, one
   * lost request or answer costs an election timeout wherever every vote counts. Default true; false only for comparing
   * with etcd.
   */
  readonly repeatVoteRequests?: boolean;
  /**
   * A follower that has lost its leader and must refuse a vote, because its own log is ahead, campaigns at once where the
   * candidate cannot win without it. Without this, as in etcd-io/raft, a group of three whose leader died
   * has no other before the one with the longer log times out, too. Default true; false only for comparing with etcd.
   */
  readonly runInstead?: boolean;
  /**
   * A leader whose commit index rose tells its followers with the next entries, heartbeat or tick, or when its driver
   * calls `tellCommit`, and not at once as etcd-io/raft does: under load that is half of all messages, and nobody waits for
   * what followers apply. Not while a conf change may be among what is not applied. Default false.
   */
  readonly commitWithNextMessage?: boolean;
  /** Most bytes of entries in one MsgApp. 0: one entry a message. Default: no limit. */
  readonly maxSizePerMessageBytes?: number;
  /** Most bytes of one Ready's committedEntries. Default: maxSizePerMessageBytes. */
  readonly maxCommittedSizePerReadyBytes?: number;
  /** Most bytes of proposals not yet committed at a leader; past it proposals are dropped. Default: no limit. */
  readonly maxUncommittedEntriesSizeBytes?: number;
  /** Most MsgApp in flight to one follower. >= 1. */
  readonly maxInflightMessages: number;
  /** Most bytes of entries in flight to one follower; >= maxSizePerMessageBytes. Default: no limit. */
  readonly maxInflightBytes?: number;
  /** A leader that hears of no quorum for an election timeout steps down. Default false. */
  readonly checkQuorum?: boolean;
  /** Ask for votes without raising the term first (thesis §9.6). Default false. */
  readonly preVote?: boolean;
  /** Default "Safe". */
  readonly readOnlyOption?: ReadOnlyOption;
  /** Followers do not forward proposals to the leader but drop them. Default false. */
  readonly disableProposalForwarding?: boolean;
  /** Conf changes are not checked when proposed; for tests of what follows. Default false. */
  readonly disableConfChangeValidation?: boolean;
  /** A leader that is removed or demoted steps down when it applies the change. Default false. */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Draws the election timeout in ticks; called at each reset. Default: electionTicks + nextInt(electionTicks).
   * The driver may give each peer its own slice of the span, so that surviving peers do not tie.
   */
  readonly drawElectionTimeoutTicks?: (electionTicks: number, random: Random) => number;
}

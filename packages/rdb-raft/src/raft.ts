import { assert, type Index, type PeerId, type Term } from "@flaredb/rdb-base";
import type { RaftLogger } from "./config.ts";
import { restoreConfig } from "./conf-change/restore.ts";
import { type CampaignType, tickElection } from "./election.ts";
import { hex } from "./hex.ts";
import { maxIndex, plus, ZERO_INDEX, ZERO_TERM } from "./index-math.ts";
import { tickHeartbeat } from "./leader.ts";
import { appliedTo, switchToConfig } from "./membership.ts";
import type { ConfState, HardState, Message, MessageType, Role } from "./messages.ts";
import { type MessageFields, newMessage } from "./new-message.ts";
import { ProgressTracker } from "./progress-tracker.ts";
import { RaftLog } from "./raft-log.ts";
import { PendingReads } from "./pending-reads.ts";
import type { ReadState } from "./ready.ts";
import { appendEntries } from "./replication.ts";
import type { ResolvedConfig } from "./resolve-config.ts";

/**
 * The state of one peer, and how its role and term change. What it does with messages is in the functions of
 * step.ts and of the files that it delegates to.
 */
export class Raft {
  readonly id: PeerId;
  readonly config: ResolvedConfig;
  readonly logger: RaftLogger;
  readonly log: RaftLog;
  tracker: ProgressTracker;

  term: Term = ZERO_TERM;
  /** The candidate that got this peer's vote in `term`. */
  vote: PeerId | 0 = 0;
  role: Role = "Follower";
  lead: PeerId | 0 = 0;
  /** Leader only: whom leadership is being transferred to. Proposals are dropped meanwhile. */
  leadTransferee: PeerId | 0 = 0;
  /**
   * Leader only: no conf change is in the log behind this index. At most one may be in the log and not
   * applied; set too high after an election rather than scanning the log for it.
   */
  pendingConfIndex: Index = ZERO_INDEX;
  /** Leader only: bytes of proposals that are not committed yet; an estimate that ignores the log's old tail. */
  uncommittedBytes = 0;
  pendingReads: PendingReads;

  /** Ticks since the last contact of the leader or, on a leader, since the last check of its quorum. */
  electionElapsed = 0;
  /** Candidate and pre-candidate only: why it campaigns. */
  campaignType: CampaignType | undefined;
  /** Ticks since a leader's last round of heartbeats, or since a candidate asked for votes. */
  heartbeatElapsed = 0;
  /**
   * Candidate and pre-candidate only: after so many ticks those are asked again that have not answered.
   * Invariant: `heartbeatTicks` <= it <= the greater of `heartbeatTicks` and `electionTicks`.
   */
  askAgainTicks = 0;
  /** Drawn anew at each reset, so that peers do not campaign all at once (thesis §3.4). */
  randomizedElectionTimeout = 0;

  /** To be sent at once. */
  messages: Message[] = [];
  /** To be sent, or stepped when they are for this peer, once everything before them is durable. */
  messagesAfterAppend: Message[] = [];
  readStates: ReadState[] = [];

  constructor(config: ResolvedConfig) {
    const { hardState, confState } = config.storage.initialState();
    this.id = config.id;
    this.config = config;
    this.logger = config.logger;
    this.log = new RaftLog(config.storage, config.logger, config.maxCommittedSizePerReadyBytes);
    this.tracker = new ProgressTracker(config);
    this.pendingReads = new PendingReads();
    this.restoreConfiguration(confState);
    this.#loadHardState(hardState);
    if (config.applied > 0) {
      this.log.appliedTo(maxIndex(config.applied, ZERO_INDEX), 0);
    }
    this.becomeFollower(this.term, 0);
    this.#describeStart();
  }

  get isLeader(): boolean {
    return this.role === "Leader";
  }

  /** The id as it is written in log lines. */
  get name(): string {
    return hex(this.id);
  }

  tick(): void {
    if (this.role === "Leader") {
      tickHeartbeat(this);
    } else {
      tickElection(this);
    }
  }

  /** Whether this peer may campaign: it is a voter, with no snapshot waiting to be installed. */
  promotable(): boolean {
    const own = this.tracker.progress.get(this.id);
    return own !== undefined && !own.isLearner && !this.log.hasUnstableSnapshot();
  }

  pastElectionTimeout(): boolean {
    return this.electionElapsed >= this.randomizedElectionTimeout;
  }

  becomeFollower(term: Term, lead: PeerId | 0): void {
    this.#reset(term);
    this.lead = lead;
    this.role = "Follower";
    this.logger.info(`${this.name} became follower at term ${this.term}`);
  }

  becomeCandidate(): void {
    assert(this.role !== "Leader", "a leader does not become candidate");
    this.#reset((this.term + 1) as Term);
    this.vote = this.id;
    this.role = "Candidate";
    this.logger.info(`${this.name} became candidate at term ${this.term}`);
  }

  /** Changes neither term nor vote: a pre-election leaves no trace when it is lost (thesis §9.6). */
  becomePreCandidate(): void {
    assert(this.role !== "Leader", "a leader does not become pre-candidate");
    this.tracker.resetVotes();
    this.lead = 0;
    this.role = "PreCandidate";
    this.logger.info(`${this.name} became pre-candidate at term ${this.term}`);
  }

  becomeLeader(): void {
    assert(this.role !== "Follower", "a follower does not become leader without an election");
    this.#reset(this.term);
    this.lead = this.id;
    this.role = "Leader";
    const own = this.tracker.progress.get(this.id);
    assert(own !== undefined, "a leader is in its configuration when it is elected");
    own.becomeReplicate();
    own.recentActive = true;
    this.pendingConfIndex = this.log.lastIndex();
    // An entry of its own term lets the leader commit what its predecessors left (thesis §3.6.2).
    const accepted = appendEntries(this, [EMPTY_PROPOSAL]);
    assert(accepted, "a new leader's empty entry is within every limit");
    this.logger.info(`${this.name} became leader at term ${this.term}`);
  }

  /**
   * Queues a message of this peer. Votes and acknowledgements promise something that must be durable first,
   * so they wait for the append.
   */
  send(fields: MessageFields): void {
    const message = newMessage(fields, fields.from ?? this.id, this.#termToSend(fields));
    if (this.#waitsForAppend(message.type)) {
      this.messagesAfterAppend.push(message);
      return;
    }
    assert(message.to !== this.id, `${message.type} is not sent to the peer itself`);
    this.messages.push(message);
  }

  /** Puts the configuration of a snapshot, or of a restart, in force. Returns nothing: it is `confState`. */
  restoreConfiguration(confState: ConfState): void {
    const restored = restoreConfig(confState, {
      limits: this.tracker.limits,
      lastIndex: this.log.lastIndex(),
    });
    assert(restored.ok, `the stored configuration is valid${restored.ok ? "" : `: ${restored.reason}`}`);
    this.tracker = new ProgressTracker(this.tracker.limits);
    switchToConfig(this, restored.config, restored.progress);
  }

  /** The state machine has applied up to `index`. */
  appliedTo(index: Index, bytes: number): void {
    appliedTo(this, index, bytes);
  }

  /** Storage has installed the snapshot of `index`, and the state machine with it. */
  appliedSnapshot(index: Index): void {
    this.log.unstable.stableSnapshotTo(index);
    this.appliedTo(index, 0);
  }

  maybeCommit(): boolean {
    return this.log.maybeCommit({ term: this.term, index: this.tracker.committed() });
  }

  committedEntryInCurrentTerm(): boolean {
    return this.log.termOrZero(this.log.committed) === this.term;
  }

  abortLeaderTransfer(): void {
    this.leadTransferee = 0;
  }

  drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.randomizedElectionTimeout = this.config.drawElectionTimeoutTicks(electionTicks, random);
  }

  /** Forgets everything that belongs to a term or to a role. */
  #reset(term: Term): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = 0;
    }
    this.lead = 0;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.campaignType = undefined;
    this.drawElectionTimeout();
    this.abortLeaderTransfer();
    this.tracker.resetVotes();
    const last = this.log.lastIndex();
    for (const [id, progress] of this.tracker.progress) {
      progress.reset(id === this.id ? last : ZERO_INDEX, plus(last, 1));
    }
    this.pendingConfIndex = ZERO_INDEX;
    this.uncommittedBytes = 0;
    this.pendingReads = new PendingReads();
  }

  /** Whether a message promises something that must be durable first. */
  #waitsForAppend(type: MessageType): boolean {
    switch (type) {
      case "MsgAppResp":
      case "MsgVoteResp":
      case "MsgPreVoteResp":
        return true;
      case "MsgVote":
        // It speaks for a term and a log. Synchronous storage has both before anything is sent.
        return this.config.asyncStorageWrites && !this.config.eagerVoteRequests;
      default:
        return false;
    }
  }

  #termToSend(fields: MessageFields): Term | 0 {
    switch (fields.type) {
      case "MsgVote":
      case "MsgVoteResp":
      case "MsgPreVote":
      case "MsgPreVoteResp":
        // A pre-vote is asked for in the term to come, so each of these says its own.
        assert((fields.term ?? 0) !== 0, `${fields.type} carries a term`);
        return fields.term ?? 0;
      case "MsgProp":
      case "MsgReadIndex":
        // Forwarded requests belong to no term.
        return 0;
      default:
        return this.term;
    }
  }

  #loadHardState(hardState: HardState): void {
    const { term, vote, commit } = hardState;
    if (term === 0 && vote === 0 && commit === 0) {
      return;
    }
    assert(
      this.log.committed <= commit && commit <= this.log.lastIndex(),
      `the stored commit ${commit} is within [${this.log.committed}, ${this.log.lastIndex()}]`,
    );
    this.log.committed = commit;
    this.term = term;
    this.vote = vote;
  }

  #describeStart(): void {
    const peers = this.tracker.config.voters.ids().map(hex).join(",");
    const last = this.log.lastEntryId();
    this.logger.info(
      `newRaft ${this.name} [peers: [${peers}], term: ${this.term}, commit: ${this.log.committed}, ` +
        `applied: ${this.log.applied}, lastindex: ${last.index}, lastterm: ${last.term}]`,
    );
  }
}

const EMPTY_PROPOSAL = { type: "Normal", data: new Uint8Array(0) } as const;

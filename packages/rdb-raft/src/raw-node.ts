import { assert, type Index, type PeerId, type Term } from "@flaredb/rdb-base";
import { encodeConfChange } from "./conf-change/codec.ts";
import { asV2, type ConfChange } from "./conf-change/conf-change.ts";
import type { RaftConfig } from "./config.ts";
import { entriesSizeBytes } from "./entry-size.ts";
import { hex } from "./hex.ts";
import { implausible } from "./implausible.ts";
import { ZERO_INDEX, ZERO_TERM } from "./index-math.ts";
import { resetRecentActive } from "./leader.ts";
import { applyConfChange, type SimulatedConfChange, simulateConfChange } from "./membership.ts";
import type { ConfState, Entry, EntryType, HardState, Message, Role, SoftState } from "./messages.ts";
import {
  isForwardedRequest,
  isLocalMessage,
  isResponseMessage,
  isStorageThread,
  newMessage,
} from "./new-message.ts";
import type { Progress } from "./progress.ts";
import { Raft } from "./raft.ts";
import type { Ready } from "./ready.ts";
import { broadcastHeartbeat, tellCommit } from "./replication.ts";
import { resolveConfig } from "./resolve-config.ts";
import { type RaftStatus, statusOf } from "./status.ts";
import { step } from "./step.ts";
import type { StepResult } from "./step-result.ts";
import {
  newStorageAppend,
  newStorageAppendResponse,
  newStorageApply,
  newStorageApplyResponse,
} from "./storage-messages.ts";

export type { StepResult } from "./step-result.ts";

/**
 * One peer of a Raft group, as its driver sees it: a state machine that never waits.
 *
 * The driver calls `tick` as time goes by, `step` with the messages of other peers and `propose` with its own
 * proposals. Whenever `hasReady`, it takes `ready()` and does what that says:
 *
 * - without async storage writes: makes `hardState`, `snapshot` and `entries` durable, sends `messages`, applies
 *   `committedEntries`, and calls `advance()` before the next `ready()`;
 * - with them: sends `messages`, of which MsgStorageAppend and MsgStorageApply go to its own append and apply
 *   work, each in order, and delivers their `responses` once that work is done. `advance()` is not called.
 *
 * Every conf change among the entries to apply is handed to `applyConfChange` when it is applied.
 */
export class RawNode {
  readonly #raft: Raft;
  readonly #asyncStorageWrites: boolean;
  #previousSoftState: SoftState;
  #previousHardState: HardState;
  /** Without async storage writes: what the core tells itself once the Ready is durable and applied. */
  #stepsOnAdvance: Message[] = [];

  /** Starts from `config.storage.initialState()`. */
  constructor(config: RaftConfig) {
    this.#raft = new Raft(resolveConfig(config));
    this.#asyncStorageWrites = config.asyncStorageWrites ?? false;
    this.#previousSoftState = { lead: this.#raft.lead, role: this.#raft.role };
    this.#previousHardState = this.#hardState();
  }

  get id(): PeerId {
    return this.#raft.id;
  }

  get term(): Term {
    return this.#raft.term;
  }

  /** The peer voted for in this term, or 0. */
  get vote(): PeerId | 0 {
    return this.#raft.vote;
  }

  get role(): Role {
    return this.#raft.role;
  }

  /** The leader of this term as far as known, or 0. */
  get lead(): PeerId | 0 {
    return this.#raft.lead;
  }

  get isLeader(): boolean {
    return this.#raft.isLeader;
  }

  get commitIndex(): Index {
    return this.#raft.log.committed;
  }

  /** The highest index that the driver said is applied. */
  get appliedIndex(): Index {
    return this.#raft.log.applied;
  }

  get firstIndex(): Index {
    return this.#raft.log.firstIndex();
  }

  /** The log's last index, durable or not. */
  get lastIndex(): Index {
    return this.#raft.log.lastIndex();
  }

  /** Whom leadership is being transferred to, or 0. Proposals are dropped meanwhile. */
  get leadTransferee(): PeerId | 0 {
    return this.#raft.leadTransferee;
  }

  /**
   * On a leader: no conf change is in the log behind this index. While it is above `appliedIndex`, a proposed
   * conf change is replaced by an empty entry.
   */
  get pendingConfIndex(): Index {
    return this.#raft.pendingConfIndex;
  }

  /** Whether a leader has committed an entry of its own term; until then it postpones reads. */
  get committedInCurrentTerm(): boolean {
    return this.#raft.committedEntryInCurrentTerm();
  }

  /** The configuration in force. */
  get confState(): ConfState {
    return this.#raft.tracker.confState();
  }

  /** On a leader what it knows of a peer. It changes as the leader learns more. */
  progressOf(id: PeerId): Progress | undefined {
    return this.#raft.tracker.progress.get(id);
  }

  /** Everything that the peer knows, copied. */
  status(): RaftStatus {
    return statusOf(this.#raft);
  }

  /** One unit of time has passed. */
  tick(): void {
    this.#raft.log.retryFetch();
    this.#raft.tick();
  }

  /**
   * Takes a message of another peer, or of this peer's storage threads.
   *
   * @throws RdbError RDB_DATA_CORRUPT when it contradicts what this peer has acknowledged to have: the peer lost that, or
   * the sender lies. The peer must not go on.
   */
  step(message: Message): StepResult {
    const fromThread = isStorageThread(message.from);
    if (isLocalMessage(message.type) && !fromThread) {
      return "local-message";
    }
    if (isResponseMessage(message.type) && !fromThread && !this.#knows(message.from)) {
      return "peer-not-found";
    }
    if (isForwardedRequest(message.type) && !this.#raft.isLeader) {
      // Its sender takes this peer for the leader. Were it sent on, two that take each other for it would never end.
      return "not-leader";
    }
    const problem = fromThread ? undefined : implausible(this.#raft, message);
    if (problem !== undefined) {
      const { name, logger } = this.#raft;
      logger.error(`${name} ignored a ${message.type} from ${hex(message.from)} that cannot be: ${problem}`);
      return "implausible";
    }
    return this.#step(message);
  }

  /** Campaigns now, with a pre-election where that is on. */
  campaign(): StepResult {
    return this.#step(newMessage({ type: "MsgHup" }));
  }

  /** Proposes one entry; a follower forwards it to the leader. `data` is the log's from here on. */
  propose(data: Uint8Array): StepResult {
    return this.proposeBatch([data]);
  }

  /** Proposes entries that follow each other in the log. All of them are taken, or none. At least one. */
  proposeBatch(datas: readonly Uint8Array[]): StepResult {
    assert(datas.length > 0, "a batch of proposals is not empty");
    return this.#propose(datas.map((data) => proposedEntry("Normal", data)));
  }

  /**
   * Proposes a change of the configuration. "ok" does not mean that it will be made: when another one is not
   * applied yet, a joint configuration is to be left first, or the change cannot be made of the configuration in
   * force, an empty entry takes its place.
   */
  proposeConfChange(change: ConfChange): StepResult {
    const type = change.version === 1 ? "ConfChange" : "ConfChangeV2";
    return this.#propose([proposedEntry(type, encodeConfChange(change))]);
  }

  /** What a conf change would lead to, were it applied now: to be looked at before it is proposed. */
  simulateConfChange(change: ConfChange): SimulatedConfChange {
    return simulateConfChange(this.#raft, asV2(change));
  }

  /** A conf change of the log is applied. Returns the configuration now in force, which goes into snapshots. */
  applyConfChange(change: ConfChange): ConfState {
    applyConfChange(this.#raft, asV2(change));
    return this.confState;
  }

  /**
   * Asks for the index that a linearizable read has to wait for. The answer comes as a ReadState with the same
   * context, or never: then ask again, with another context, so that an answer is known to be to which question.
   */
  readIndex(context: Uint8Array): void {
    this.#step(newMessage({ type: "MsgReadIndex", context }));
  }

  /** Hands leadership to `to`; given up after an election timeout. A follower forwards the request. */
  transferLeader(to: PeerId): void {
    this.#step(newMessage({ type: "MsgTransferLeader", from: to }));
  }

  /** A follower forgets its leader, so that it grants votes before the leader's lease has run out. */
  forgetLeader(): StepResult {
    return this.#step(newMessage({ type: "MsgForgetLeader" }));
  }

  /** The last message to `id` could not be sent. */
  reportUnreachable(id: PeerId): void {
    this.#step(newMessage({ type: "MsgUnreachable", from: id }));
  }

  /** What became of the snapshot that was sent to `id`. Must be called for every MsgSnap: sending to it waits for this. */
  reportSnapshot(id: PeerId, status: "finish" | "failure"): void {
    this.#step(newMessage({ type: "MsgSnapStatus", from: id, reject: status === "failure" }));
  }

  /** Sets the election timeout that was drawn, until the next one is. */
  setRandomizedElectionTimeout(ticks: number): void {
    this.#raft.randomizedElectionTimeout = ticks;
  }

  /** Draws the election timeout anew: the driver's `drawElectionTimeoutTicks` knows more than at the last reset. */
  redrawElectionTimeout(): void {
    this.#raft.drawElectionTimeout();
  }

  /** Hibernation: the leader's contact counts as of now. */
  resetElectionElapsed(): void {
    this.#raft.electionElapsed = 0;
  }

  /** Hibernation: the leader's contact counts as lapsed, so that votes and pre-votes are granted at once. */
  lapseLeaderContact(): void {
    const raft = this.#raft;
    if (!raft.isLeader) {
      raft.electionElapsed = Math.max(raft.electionElapsed, raft.config.electionTicks);
    }
  }

  /** Hibernation: a leader hears of a quorum within an election timeout from now on, or steps down (CheckQuorum). */
  resetRecentActive(): void {
    if (this.#raft.isLeader) {
      this.#raft.electionElapsed = 0;
      resetRecentActive(this.#raft);
    }
  }

  /** Hibernation: a leader sends a round of heartbeats now. */
  sendHeartbeats(): void {
    if (this.#raft.isLeader) {
      this.#raft.heartbeatElapsed = 0;
      broadcastHeartbeat(this.#raft);
    }
  }

  /** A leader tells followers of a commit index that none of its messages carried yet (`commitWithNextMessage`). */
  tellCommit(): void {
    if (this.#raft.isLeader) {
      tellCommit(this.#raft);
    }
  }

  /** Whether `ready` has something to do. Cheap. */
  hasReady(): boolean {
    const raft = this.#raft;
    const { log } = raft;
    return (
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      raft.readStates.length > 0 ||
      this.#softStateChanged() ||
      this.#hardStateChanged() ||
      log.unstable.hasNextEntries() ||
      log.unstable.nextSnapshot() !== undefined ||
      log.hasNextCommittedEntries(!this.#asyncStorageWrites)
    );
  }

  /** The work to do now, which is the driver's from here on: it is not handed out again. */
  ready(): Ready {
    const raft = this.#raft;
    assert(
      this.#asyncStorageWrites || this.#stepsOnAdvance.length === 0,
      "advance is called for each Ready before the next one is taken",
    );
    const entries = raft.log.unstable.nextEntries();
    const committedEntries = raft.log.nextCommittedEntries(!this.#asyncStorageWrites);
    const softState = this.#softStateChanged() ? { lead: raft.lead, role: raft.role } : undefined;
    const hardState = this.#hardStateChanged() ? this.#hardState() : undefined;
    const snapshot = raft.log.unstable.nextSnapshot();
    const readStates = raft.readStates;
    const mustSync =
      entries.length > 0 ||
      (hardState !== undefined &&
        (hardState.term !== this.#previousHardState.term || hardState.vote !== this.#previousHardState.vote));
    const part = { entries, hardState, snapshot };
    const messages = this.#asyncStorageWrites
      ? this.#messagesWithStorageWork(part, committedEntries)
      : this.#messagesToSend(part, committedEntries);
    this.#accept({ softState, hardState, committedEntries });
    return { softState, hardState, readStates, entries, snapshot, committedEntries, messages, mustSync };
  }

  /** Without async storage writes: the last Ready is durable, sent and applied. */
  advance(): void {
    assert(!this.#asyncStorageWrites, "advance is not called with async storage writes");
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    for (const message of steps) {
      this.#step(message);
    }
  }

  #step(message: Message): StepResult {
    this.#raft.log.retryFetch();
    return step(this.#raft, message);
  }

  #propose(entries: readonly Entry[]): StepResult {
    return this.#step(newMessage({ type: "MsgProp", from: this.#raft.id, entries }));
  }

  #knows(id: PeerId | 0): boolean {
    return id !== 0 && this.#raft.tracker.progress.has(id);
  }

  #hardState(): HardState {
    const { term, vote, log } = this.#raft;
    return { term, vote, commit: log.committed };
  }

  #softStateChanged(): boolean {
    return (
      this.#raft.lead !== this.#previousSoftState.lead || this.#raft.role !== this.#previousSoftState.role
    );
  }

  #hardStateChanged(): boolean {
    const previous = this.#previousHardState;
    const { term, vote, log } = this.#raft;
    return term !== previous.term || vote !== previous.vote || log.committed !== previous.commit;
  }

  /** With async storage writes: what to send, and the work of the storage threads. */
  #messagesWithStorageWork(
    part: Pick<Ready, "entries" | "hardState" | "snapshot">,
    committedEntries: readonly Entry[],
  ): readonly Message[] {
    const raft = this.#raft;
    const append = newStorageAppend(raft, part);
    if (append !== undefined) {
      raft.messages.push(append);
    }
    if (committedEntries.length > 0) {
      raft.messages.push(newStorageApply(raft, committedEntries));
    }
    return raft.messages;
  }

  /** Without: what to send once the Ready is durable; what is for this peer waits for `advance`. */
  #messagesToSend(
    part: Pick<Ready, "entries" | "hardState" | "snapshot">,
    committedEntries: readonly Entry[],
  ): readonly Message[] {
    const raft = this.#raft;
    for (const message of raft.messagesAfterAppend) {
      (message.to === raft.id ? this.#stepsOnAdvance : raft.messages).push(message);
    }
    const appended = newStorageAppendResponse(raft, part);
    if (appended !== undefined) {
      this.#stepsOnAdvance.push(appended);
    }
    if (committedEntries.length > 0) {
      this.#stepsOnAdvance.push(newStorageApplyResponse(raft, committedEntries));
    }
    return raft.messages;
  }

  #accept(taken: Pick<Ready, "softState" | "hardState" | "committedEntries">): void {
    const raft = this.#raft;
    this.#previousSoftState = taken.softState ?? this.#previousSoftState;
    this.#previousHardState = taken.hardState ?? this.#previousHardState;
    raft.readStates = [];
    raft.messages = [];
    raft.messagesAfterAppend = [];
    raft.log.unstable.acceptInProgress();
    const last = taken.committedEntries.at(-1);
    if (last !== undefined) {
      const bytes = entriesSizeBytes(taken.committedEntries);
      raft.log.acceptApplying(last.index, bytes, !this.#asyncStorageWrites);
    }
  }
}

/** An entry on its way to the leader, which gives it its place in the log. */
function proposedEntry(type: EntryType, data: Uint8Array): Entry {
  return { term: ZERO_TERM, index: ZERO_INDEX, type, data };
}

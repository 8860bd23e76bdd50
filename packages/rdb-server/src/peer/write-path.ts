import { type Clock, type Region, type RegionId, assert, index } from "@flaredb/rdb-base";
import type { KvRequest, LogCommand, RegionError } from "@flaredb/rdb-proto";
import type { ConfChangeV2, Entry, RawNode, StepResult } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import type { StoreMetrics } from "../metrics/store-metrics.ts";
import type { SteadyWallClock } from "../steady-wall-clock.ts";
import {
  type CommandBody,
  type EntryIdentity,
  compactLogBody,
  decodeLogCommand,
  encodeLogCommand,
  entryBody,
  foldableCommand,
  logCommand,
} from "./commands.ts";
import { LogTime } from "./log-time.ts";
import type { ProposalRounds, RoundMember } from "./proposal-rounds.ts";
import { type Caller, PendingEntries, type Proposal, ProposalQueue, countCallers } from "./proposal-queue.ts";
import { EntryIdentities, type RequestIdentity } from "./request-identity.ts";
import { keptAnswerSizeBytes, requestSizeBytes } from "./request-size.ts";
import { errorResponse, requestExpired, serverIsBusy, staleCommand } from "./responses.ts";
import { SessionBound } from "./session-bound.ts";
import type { SessionTable } from "./session-table.ts";
import { isInWindow } from "./session-window.ts";

/** Suggested pause for a client whose proposal found a full queue. */
const BUSY_BACKOFF_MS = 50;
/**
 * While so many entries of the Region are on their way, what comes gathers and shares the next one: an entry costs its
 * three peers as much as some dozens of the writes in it (ADR 17).
 */
const ENTRIES_IN_FLIGHT_MAX_COUNT = 1;
/** The same where entries take long, by the network or by a disk: to wait for a whole one would cost more. */
const SLOW_ENTRIES_IN_FLIGHT_MAX_COUNT = 2;
/** An entry that takes longer than this from the proposal to the commit is slow. */
const SLOW_ENTRY_MS = 20;
/** How far back a new leader looks for the last log time in its log. */
const LOG_TIME_SEARCH_BYTES = 1024 * 1024;

/** A conf change without its context. */
export type ConfChanges = Omit<ConfChangeV2, "context">;

/** What the write path works on. */
export interface WritePathOwner {
  readonly config: StoreConfig;
  readonly clock: Clock;
  /** What log time starts from. */
  readonly steadyWall: SteadyWallClock;
  readonly metrics: Pick<StoreMetrics, "proposals" | "entryRequests" | "commitLatency">;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  /** When the Store's busy Regions propose. */
  readonly rounds: ProposalRounds;
  readonly regionId: RegionId;
  region(): Region;
  appliedLogTimeMs(): number;
  /** What is remembered of clients' writes, as of what is applied. */
  sessions(): Pick<SessionTable, "count" | "sizeBytes" | "hasOver" | "client">;
  /** The leader's peer, for hints. */
  leaderHint(): RegionError;
  /** The refusal of what was meant for another version of the Region. */
  epochNotMatch(version: number): RegionError;
}

/**
 * Writes on their way into the log: accepted → folded with what else waits → proposed → waiting for apply. What
 * happens to a caller is decided in one place each: here until the entry is in the log, by apply afterwards.
 */
export class WritePath {
  readonly pending = new PendingEntries();
  readonly #owner: WritePathOwner;
  readonly #queue: ProposalQueue;
  readonly #logTime = new LogTime();
  readonly #sessionBound: SessionBound;
  readonly #round: RoundMember;
  /** What waits now goes into the log, whatever is on its way. */
  #waitedEnough = false;
  /** How long the last entry of ours took to be committed. */
  #lastCommitMs = 0;
  /** Since when this peer does not lead any more; undefined while it does or no caller waits. */
  #leadershipLostMs: number | undefined;

  constructor(owner: WritePathOwner) {
    this.#owner = owner;
    const { proposalQueueMaxCount, proposalQueueMaxBytes } = owner.config.raft;
    this.#sessionBound = new SessionBound(owner.config.sessions);
    this.#queue = new ProposalQueue({ maxCount: proposalQueueMaxCount, maxBytes: proposalQueueMaxBytes });
    this.#round = owner.rounds.member(this);
  }

  get regionId(): RegionId {
    return this.#owner.regionId;
  }

  /** Writes that wait to be proposed. */
  get queuedCount(): number {
    return this.#queue.count;
  }

  /** Writes that wait to be proposed or applied. */
  get waitingCount(): number {
    return this.pending.callerCount + this.#queue.count;
  }

  /** Takes a checked write of a leader. Answers at once only when it is refused. */
  accept(caller: Caller, command: KvRequest["command"], identity?: RequestIdentity): void {
    const refusal = identity === undefined ? undefined : this.#sessionRefusal(identity);
    if (refusal !== undefined) {
      this.#refuse(caller, refusal);
    } else {
      const proposable = command.case === "deleteRange" ? command : foldableCommand(command);
      assert(proposable !== undefined, "a request that is no read is a write");
      const keptBytes = identity === undefined ? 0 : keptAnswerSizeBytes(command);
      const sizeBytes = requestSizeBytes(command) + keptBytes;
      const epochVersion = this.#owner.region().epoch.version;
      if (!this.#queue.push({ caller, command: proposable, epochVersion, identity, sizeBytes })) {
        this.#refuse(caller, busy("the proposal queue of the Region is full"));
      }
    }
  }

  /**
   * At each tick: nothing gathers for longer. Where messages are lost, what is on its way may take many of them, and
   * writes that are in the log already are sent along when it is sent again.
   */
  tick(): void {
    this.#waitedEnough = !this.#queue.isEmpty;
  }

  /**
   * Proposes what gathered, unless enough entries are on their way or others are waited for; refuses it when this peer
   * does not lead. Called in the loop's turn, before and after what is committed is applied.
   *
   * @returns whether something was proposed
   */
  flush(): boolean {
    const { node, config } = this.#owner;
    if (this.#queue.isEmpty) {
      return false;
    }
    if (!node.isLeader) {
      this.refuseQueued();
      return false;
    }
    if (!this.#waitedEnough && !this.#mayPropose()) {
      return false;
    }
    this.#waitedEnough = false;
    this.#proposeGroups(this.#queue.takeGroups(config.raft.entryMaxBytes));
    return true;
  }

  /** Proposes that entries up to `index` may go. Nobody waits for it. */
  proposeCompaction(index: number, term: number): void {
    this.#propose({ logTimeMs: this.#nextLogTime(), body: compactLogBody(index, term) }, []);
  }

  /** Proposes what changes the Region itself; a conf change goes with the command in its context. Nobody waits. */
  proposeAdmin(body: CommandBody, changes?: ConfChanges): StepResult {
    const { node } = this.#owner;
    const data = encodeLogCommand(logCommand(this.#owner.region().epoch, this.#nextLogTime(), body));
    return changes === undefined
      ? node.propose(data)
      : node.proposeConfChange({ version: 2, ...changes, context: data });
  }

  becameLeader(): void {
    const { clock, steadyWall } = this.#owner;
    this.#leadershipLostMs = undefined;
    this.#logTime.start({
      wallMs: steadyWall.nowMs(),
      monotonicMs: clock.monotonicMs(),
      lastMs: Math.max(this.#owner.appliedLogTimeMs(), this.#lastLogTimeInLog()),
    });
  }

  /** What is not in the log yet is refused; what is may still be applied: its callers wait on. */
  lostLeadership(): void {
    this.#leadershipLostMs = this.#owner.clock.monotonicMs();
    this.#round.leave();
    this.refuseQueued();
  }

  /** Refuses what was taken and cannot be proposed, because this peer does not lead. */
  refuseQueued(): void {
    if (!this.#queue.isEmpty) {
      const error = this.#owner.leaderHint();
      for (const caller of this.#queue.takeCallers(() => true)) {
        this.#refuse(caller, error);
      }
    }
  }

  /**
   * Gives up on callers whose time ran out. What is in the log is of unknown fate then, as is all of it some time after
   * the leadership was lost.
   */
  expire(nowMs: number, giveUpAfterMs: number): void {
    for (const caller of this.#queue.takeCallers(({ deadlineMs }) => deadlineMs <= nowMs)) {
      this.#refuse(caller, busy("time ran out before the write was proposed"));
    }
    if (this.pending.callerCount === 0) {
      return;
    }
    const lostMs = this.#leadershipLostMs;
    const giveUpAll = lostMs !== undefined && nowMs - lostMs >= giveUpAfterMs;
    this.#answerUnknown(
      this.pending.takeCallers((caller) => giveUpAll || caller.deadlineMs <= nowMs),
      giveUpAll
        ? "leadership was lost before the write was applied here"
        : "time ran out before the write was applied",
    );
  }

  /** Entries of the log are durable here. */
  durable(entries: readonly Entry[], nowMs: number): void {
    for (const { index: at, term } of entries) {
      const ours = this.pending.get(at);
      if (ours?.timeline !== undefined && ours.term === term) {
        ours.timeline.durableMs = nowMs;
      }
    }
  }

  /** Entries are committed and about to be applied, which answers those who wait for them. */
  committed(entries: readonly Entry[], nowMs: number): void {
    const { proposals, commitLatency } = this.#owner.metrics;
    for (const { index: at, term } of entries) {
      const pending = this.pending.get(at);
      if (pending === undefined) {
        continue;
      }
      const isOurs = pending.term === term;
      proposals[isOurs ? "applied" : "replaced"].value += countCallers(pending);
      if (isOurs && pending.timeline !== undefined) {
        pending.timeline.committedMs = nowMs;
        this.#lastCommitMs = nowMs - pending.timeline.proposedMs;
        commitLatency.observeMs(this.#lastCommitMs);
        this.#round.committed(this.#lastCommitMs);
      }
    }
  }

  /** The peer stops or goes: nothing more will be learned. */
  stop(): void {
    this.#round.leave();
    this.#answerUnknown(
      this.pending.takeCallers(() => true),
      "the peer stopped before the write was applied here",
    );
    this.refuseQueued();
  }

  #mayPropose(): boolean {
    const { node } = this.#owner;
    return node.lastIndex - node.appliedIndex < this.#inFlightMaxCount && this.#round.mayPropose();
  }

  get #inFlightMaxCount(): number {
    return this.#lastCommitMs > SLOW_ENTRY_MS
      ? SLOW_ENTRIES_IN_FLIGHT_MAX_COUNT
      : ENTRIES_IN_FLIGHT_MAX_COUNT;
  }

  /** Why the write is not taken, if so: too much would have to be remembered. */
  #sessionRefusal(identity: RequestIdentity): RegionError | undefined {
    const sessions = this.#owner.sessions();
    const limit = this.#sessionBound.refusal(sessions, identity, this.waitingCount);
    // The next entry makes room when time alone does; without entries no room is ever made.
    return limit === undefined || sessions.hasOver(this.#nextLogTime()) ? undefined : busy(limit);
  }

  /** What is proposed is sent at once. Where that fails the peer halts, and knows no more of those that were taken. */
  #proposeGroups(groups: readonly (readonly Proposal[])[]): void {
    for (const [place, group] of groups.entries()) {
      try {
        this.#proposeGroup(group);
      } catch (error) {
        for (const { caller } of groups.slice(place + 1).flat()) {
          this.#refuse(caller, busy("the peer stopped before the write was proposed"));
        }
        throw error;
      }
    }
  }

  #proposeGroup(group: readonly Proposal[]): void {
    const logTimeMs = this.#nextLogTime();
    const due = group.filter((proposal) => !this.#refuseLate(proposal, logTimeMs));
    if (due.length === 0) {
      return;
    }
    const identities = new EntryIdentities(logTimeMs);
    for (const { identity } of due) {
      identities.add(identity);
    }
    this.#propose(
      { logTimeMs, body: entryBody(due.map(({ command }) => command)), identity: identities.entry() },
      due.map(({ caller }) => caller),
    );
  }

  /** What apply would refuse, by its age or because the Region changed while it waited, is not proposed. */
  #refuseLate({ caller, epochVersion, identity }: Proposal, logTimeMs: number): boolean {
    if (epochVersion !== this.#owner.region().epoch.version) {
      this.#refuse(caller, this.#owner.epochNotMatch(epochVersion));
      return true;
    }
    if (identity === undefined || isInWindow(identity.issuedAtMs, logTimeMs)) {
      return false;
    }
    this.#refuse(caller, requestExpired(identity.issuedAtMs, logTimeMs));
    return true;
  }

  #nextLogTime(): number {
    const nowMs = this.#owner.clock.monotonicMs();
    this.#logTime.observe(this.#owner.appliedLogTimeMs(), nowMs);
    return this.#logTime.next(nowMs);
  }

  #propose(
    {
      logTimeMs,
      body,
      identity,
    }: {
      readonly logTimeMs: number;
      readonly body: CommandBody;
      readonly identity?: EntryIdentity | undefined;
    },
    callers: readonly Caller[],
  ): void {
    const { node } = this.#owner;
    const command = logCommand(this.#owner.region().epoch, logTimeMs, body, identity);
    const result = this.#proposeOrGiveUp(encodeLogCommand(command), callers);
    if (result !== "ok") {
      // Not in the log: a transfer is under way, or too much is uncommitted.
      for (const caller of callers) {
        this.#refuse(
          caller,
          node.isLeader ? busy("the leader takes no proposals now") : this.#owner.leaderHint(),
        );
      }
      return;
    }
    if (callers.length > 0) {
      this.#remember(command, callers);
    }
  }

  #proposeOrGiveUp(data: Uint8Array, callers: readonly Caller[]): StepResult {
    try {
      return this.#owner.node.propose(data);
    } catch (error) {
      // It may be in the log.
      this.#answerUnknown(callers, "the peer stopped as the write was proposed");
      throw error;
    }
  }

  #remember(command: LogCommand, callers: readonly Caller[]): void {
    const { node, clock, metrics } = this.#owner;
    const timeline = { proposedMs: clock.monotonicMs(), durableMs: 0, committedMs: 0 };
    for (const caller of callers) {
      caller.timeline = timeline;
    }
    metrics.entryRequests.observe(callers.length);
    this.#round.proposed();
    const replaced = this.pending.add({
      ...{ index: node.lastIndex, term: node.term, command, callers },
      timeline,
    });
    if (replaced !== undefined) {
      this.#answerUnknown(replaced.callers, "another entry took the write's place in the log");
    }
  }

  /** It is not in the log. */
  #refuse(caller: Caller, error: RegionError): void {
    this.#owner.metrics.proposals.refused.value++;
    caller.respond(errorResponse(caller.requestId, error));
  }

  #answerUnknown(callers: readonly (Caller | undefined)[], why: string): void {
    this.#owner.metrics.proposals.unknown.value += countCallers({ callers });
    for (const caller of callers) {
      caller?.respond(errorResponse(caller.requestId, staleCommand(why)));
    }
  }

  /** Entries that are not applied yet may carry a later log time than what is. Log time rises along the log. */
  #lastLogTimeInLog(): number {
    const { log, node } = this.#owner;
    const first = Math.max(node.appliedIndex + 1, log.firstIndex());
    for (let position = log.lastIndex(); position >= first; position = index(position - 1)) {
      const entries = log.entries(position, index(position + 1), LOG_TIME_SEARCH_BYTES);
      const entry = typeof entries === "string" ? undefined : entries[0];
      if (entry !== undefined && entry.type === "Normal" && entry.data.length > 0) {
        return Number(decodeLogCommand(entry.data).logTimeMs);
      }
    }
    return 0;
  }
}

function busy(limit: string): RegionError {
  return serverIsBusy(limit, BUSY_BACKOFF_MS);
}

import { type Clock, type Region, assert, index } from "@flaredb/rdb-base";
import type { KvRequest, LogCommand, RegionError } from "@flaredb/rdb-proto";
import type { ConfChangeV2, RawNode, StepResult } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import {
  type CommandBody,
  type EntryIdentity,
  compactLogBody,
  decodeLogCommand,
  deleteRangeBody,
  encodeLogCommand,
  foldableCommand,
  foldedBody,
  logCommand,
} from "./commands.ts";
import { LogTime } from "./log-time.ts";
import { type Caller, PendingEntries, type Proposal, ProposalQueue } from "./proposal-queue.ts";
import { EntryIdentities, type RequestIdentity } from "./request-identity.ts";
import { keptAnswerSizeBytes, requestSizeBytes } from "./request-size.ts";
import { errorResponse, requestExpired, serverIsBusy, staleCommand } from "./responses.ts";
import { SessionBound } from "./session-bound.ts";
import type { SessionTable } from "./session-table.ts";
import { isInWindow } from "./session-window.ts";

/** Suggested pause for a client whose proposal found a full queue. */
const BUSY_BACKOFF_MS = 50;
/** How far back a new leader looks for the last log time in its log. */
const LOG_TIME_SEARCH_BYTES = 1024 * 1024;

/** A conf change without its context. */
export type ConfChanges = Omit<ConfChangeV2, "context">;

/** What the write path works on. */
export interface WritePathOwner {
  readonly config: StoreConfig;
  readonly clock: Clock;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  appliedLogTimeMs(): number;
  /** What is remembered of clients' writes, as of what is applied. */
  sessions(): Pick<SessionTable, "count" | "sizeBytes" | "hasOver" | "client">;
  /** The leader's peer, for hints. */
  leaderHint(): RegionError;
}

/** A deleteRange that waits for the loop's turn. It makes an entry of its own. */
interface WaitingDeleteRange {
  readonly caller: Caller;
  readonly body: CommandBody;
  readonly identity: RequestIdentity | undefined;
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
  #deleteRanges: WaitingDeleteRange[] = [];
  readonly #sessionBound: SessionBound;
  /** Since when this peer does not lead any more; undefined while it does or no caller waits. */
  #leadershipLostMs: number | undefined;

  constructor(owner: WritePathOwner) {
    this.#owner = owner;
    const { proposalQueueMaxCount, proposalQueueMaxBytes } = owner.config.raft;
    this.#sessionBound = new SessionBound(owner.config.sessions);
    this.#queue = new ProposalQueue({ maxCount: proposalQueueMaxCount, maxBytes: proposalQueueMaxBytes });
  }

  get waitingCount(): number {
    return this.pending.callerCount;
  }

  /** Takes a checked write of a leader. Answers at once only when it is refused. */
  accept(caller: Caller, command: KvRequest["command"], identity?: RequestIdentity): void {
    const refusal = identity === undefined ? undefined : this.#sessionRefusal(identity);
    if (refusal !== undefined) {
      caller.respond(errorResponse(caller.requestId, refusal));
    } else if (command.case === "deleteRange") {
      this.#acceptDeleteRange({ caller, body: deleteRangeBody(command.value), identity });
    } else {
      const foldable = foldableCommand(command);
      assert(foldable !== undefined, "a request that is no read is a write");
      const keptBytes = identity === undefined ? 0 : keptAnswerSizeBytes(command);
      const sizeBytes = requestSizeBytes(command) + keptBytes;
      const proposal: Proposal = { caller, command: foldable, identity, sizeBytes };
      if (!this.#queue.push(proposal)) {
        caller.respond(errorResponse(caller.requestId, busy("the proposal queue of the Region is full")));
      }
    }
  }

  /** Proposes what gathered. Called once a turn, on a leader. */
  flush(): void {
    if (!this.#queue.isEmpty) {
      for (const group of this.#queue.takeGroups(this.#owner.config.raft.entryMaxBytes)) {
        this.#proposeGroup(group);
      }
    }
    const deleteRanges = this.#deleteRanges;
    this.#deleteRanges = [];
    for (const waiting of deleteRanges) {
      this.#proposeDeleteRange(waiting);
    }
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
    const { clock } = this.#owner;
    this.#leadershipLostMs = undefined;
    this.#logTime.start({
      wallMs: clock.wallMs(),
      monotonicMs: clock.monotonicMs(),
      lastMs: Math.max(this.#owner.appliedLogTimeMs(), this.#lastLogTimeInLog()),
    });
  }

  /** What is not in the log yet is refused; what is may still be applied: its callers wait on. */
  lostLeadership(): void {
    this.#leadershipLostMs = this.#owner.clock.monotonicMs();
    this.refuseQueued();
  }

  /** Refuses what was taken and cannot be proposed, because this peer does not lead. */
  refuseQueued(): void {
    if (this.#queue.isEmpty && this.#deleteRanges.length === 0) {
      return;
    }
    const error = this.#owner.leaderHint();
    const waiting = this.#queue.takeGroups(Number.POSITIVE_INFINITY).flat();
    for (const { caller } of [...waiting, ...this.#deleteRanges]) {
      caller.respond(errorResponse(caller.requestId, error));
    }
    this.#deleteRanges = [];
  }

  /** Gives up on callers whose time ran out, and on all some time after the leadership was lost: their fate is unknown. */
  expire(nowMs: number, giveUpAfterMs: number): void {
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

  /** The peer stops or goes: nothing more will be learned. */
  stop(): void {
    this.#answerUnknown(
      this.pending.takeCallers(() => true),
      "the peer stopped before the write was applied here",
    );
    this.refuseQueued();
  }

  #acceptDeleteRange(waiting: WaitingDeleteRange): void {
    if (this.#deleteRanges.length >= this.#owner.config.raft.proposalQueueMaxCount) {
      const { caller } = waiting;
      caller.respond(errorResponse(caller.requestId, busy("too many deleteRange wait")));
      return;
    }
    this.#deleteRanges.push(waiting);
  }

  /** Why the write is not taken, if so: too much would have to be remembered. */
  #sessionRefusal(identity: RequestIdentity): RegionError | undefined {
    const sessions = this.#owner.sessions();
    const inFlightCount = this.pending.callerCount + this.#queue.count + this.#deleteRanges.length;
    const limit = this.#sessionBound.refusal(sessions, identity, inFlightCount);
    // The next entry makes room when time alone does; without entries no room is ever made.
    return limit === undefined || sessions.hasOver(this.#nextLogTime()) ? undefined : busy(limit);
  }

  #proposeGroup(group: readonly Proposal[]): void {
    const logTimeMs = this.#nextLogTime();
    const inTime = group.filter(({ caller, identity }) => !this.#refuseExpired(caller, identity, logTimeMs));
    if (inTime.length === 0) {
      return;
    }
    const identities = new EntryIdentities(logTimeMs);
    for (const { identity } of inTime) {
      identities.add(identity);
    }
    this.#propose(
      {
        logTimeMs,
        body: foldedBody(inTime.map(({ command }) => command)),
        identity: identities.entry(),
      },
      inTime.map(({ caller }) => caller),
    );
  }

  #proposeDeleteRange({ caller, body, identity }: WaitingDeleteRange): void {
    const logTimeMs = this.#nextLogTime();
    if (!this.#refuseExpired(caller, identity, logTimeMs)) {
      const identities = new EntryIdentities(logTimeMs);
      identities.add(identity);
      this.#propose({ logTimeMs, body, identity: identities.entry() }, [caller]);
    }
  }

  /** What apply would refuse by its age is not proposed. */
  #refuseExpired(caller: Caller, identity: RequestIdentity | undefined, logTimeMs: number): boolean {
    if (identity === undefined || isInWindow(identity.issuedAtMs, logTimeMs)) {
      return false;
    }
    caller.respond(errorResponse(caller.requestId, requestExpired(identity.issuedAtMs, logTimeMs)));
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
    const result = node.propose(encodeLogCommand(command));
    if (result !== "ok") {
      // Not in the log: a transfer is under way, or too much is uncommitted.
      for (const caller of callers) {
        caller.respond(
          errorResponse(
            caller.requestId,
            node.isLeader ? busy("the leader takes no proposals now") : this.#owner.leaderHint(),
          ),
        );
      }
      return;
    }
    if (callers.length > 0) {
      this.#remember(command, callers);
    }
  }

  #remember(command: LogCommand, callers: readonly Caller[]): void {
    const { node } = this.#owner;
    const replaced = this.pending.add({ index: node.lastIndex, term: node.term, command, callers });
    if (replaced !== undefined) {
      this.#answerUnknown(replaced.callers, "another entry took the write's place in the log");
    }
  }

  #answerUnknown(callers: readonly (Caller | undefined)[], why: string): void {
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

import { type Index, type Region, RdbError, assert } from "@flaredb/rdb-base";
import type { KvResponse, LogCommand, RegionError } from "@flaredb/rdb-proto";
import { type ConfChange, type Entry, decodeConfChange } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  type Engine,
  type SessionRow,
  WritePart,
  decodeSessionRow,
  indexedKey,
  putApplyState,
} from "@flaredb/rdb-storage";
import type { AdminEffect, AdminEntry } from "./admin/admin-entry.ts";
import { ApplyView } from "./apply-view.ts";
import { type Writes, carryOut, decideWrites } from "./carry-out.ts";
import { decodeLogCommand } from "./commands.ts";
import { EntrySessions, type Verdict } from "./entry-sessions.ts";
import { type WriteResult, commandReads } from "./evaluate-write.ts";
import type { Caller, PendingEntries, PendingEntry } from "./proposal-queue.ts";
import { deleteRangeResult } from "./range-delete.ts";
import { errorResponse, notLeader, response, staleCommand } from "./responses.ts";
import type { SessionTable } from "./session-table.ts";

/** What the applier works on, and what it tells. */
export interface ApplierOwner {
  readonly engine: Engine;
  region(): Region;
  /** The refusal of what was proposed for another version of the Region. */
  epochNotMatch(version: number): RegionError;
  /** Those who wait for entries of ours. */
  readonly pending: PendingEntries;
  /** The log may be cut up to `index`, in `part`. */
  compactLog(part: WritePart, index: number): void;
  /** Whether an entry took this peer out of its Region: what follows is not its own. */
  isRemoved(): boolean;
  /** It waits to be taken by a neighbour: entries change nothing of it any more, not even its log time. */
  isBeingTaken(): boolean;
  /** Applies what changes the Region itself; its rows go into `part`. */
  applyAdmin(entry: AdminEntry, part: WritePart): AdminEffect;
}

/** Session rows that an entry lets go of when they are over, at most: so many, and more the more writes it holds. */
const EXPIRE_MAX_COUNT = 64;
const EXPIRE_COUNT_PER_WRITE = 2;

/** An entry while it is applied. */
interface Applying {
  readonly index: Index;
  readonly command: LogCommand;
  readonly ours: PendingEntry | undefined;
  /** Undefined when no write of the entry has an identity. */
  readonly sessions: EntrySessions | undefined;
}

/**
 * The state machine of one Region: committed entries in, rows and answers out, in log order, each exactly once
 * (SPEC R4). The applied index travels in the same part as the rows. Answers are given when the part is submitted,
 * not when it is written: the log holds what it was made from.
 */
export class Applier {
  readonly #owner: ApplierOwner;
  #state: ApplyState;
  #sessions: SessionTable;
  #part = new WritePart();
  /** Answers that are given when the part is submitted: responses beside their callers. */
  #answeredCallers: Caller[] = [];
  #responses: KvResponse[] = [];
  #isApplyingAdmin = false;
  /** Bytes that puts added since the peer started: an upper bound of the growth. */
  addedBytes = 0;

  /** @param sessions as the rows are at `state` */
  constructor(owner: ApplierOwner, state: ApplyState, sessions: SessionTable) {
    this.#owner = owner;
    this.#state = state;
    this.#sessions = sessions;
  }

  get state(): ApplyState {
    return this.#state;
  }

  /** An entry that changes the Region itself is half applied: `state` is ahead of the Region and its peers. */
  get isApplyingAdmin(): boolean {
    return this.#isApplyingAdmin;
  }

  /** What is remembered of clients' writes. */
  get sessions(): Pick<SessionTable, "count" | "sizeBytes" | "hasOver" | "client" | "rowIndexes"> {
    return this.#sessions;
  }

  /** The content was replaced by a snapshot's. */
  reset(state: ApplyState, sessions: SessionTable): void {
    this.#state = state;
    this.#sessions = sessions;
  }

  /**
   * Applies entries that are committed and durable here, and submits what they made.
   *
   * @throws RdbError RDB_DATA_CORRUPT on an entry that this program cannot read; what came before it is submitted
   */
  apply(entries: readonly Entry[]): void {
    try {
      for (const entry of entries) {
        if (this.#owner.isRemoved()) {
          return;
        }
        this.#applyEntry(entry);
      }
    } finally {
      this.#submit();
    }
  }

  #applyEntry(entry: Entry): void {
    assert(entry.index === this.#state.index + 1, "entries are applied in log order, each exactly once");
    const pending = this.#owner.pending.take(entry.index);
    const ours = pending?.term === entry.term ? pending : undefined;
    if (pending !== undefined && ours === undefined) {
      this.#answerReplaced(pending);
    }
    if (entry.data.length === 0) {
      this.#advance(entry, this.#state.logTimeMs);
      return;
    }
    const confChange = decodeConfChange(entry.type, entry.data);
    const command = ours?.command ?? decodeLogCommand(confChange?.context ?? entry.data);
    // Peers are taken at different entries behind the one that prepared the merge, and must all bring the same.
    const isStill = this.#owner.isBeingTaken();
    const logTimeMs = isStill
      ? this.#state.logTimeMs
      : Math.max(this.#state.logTimeMs, Number(command.logTimeMs));
    const expireMaxCount = EXPIRE_MAX_COUNT + EXPIRE_COUNT_PER_WRITE * writeCount(command);
    this.#sessions.expire(logTimeMs, isStill ? 0 : expireMaxCount);
    if (isAdmin(command)) {
      this.#applyAdmin(entry, command, confChange, logTimeMs);
    } else if (Number(command.epochVersion) === this.#owner.region().epoch.version) {
      const sessions = this.#entrySessions(command, logTimeMs);
      this.#applyCommand(entry, { index: entry.index, command, ours, sessions }, logTimeMs);
    } else {
      this.#answerEpoch(command, ours);
      this.#advance(entry, logTimeMs);
    }
    this.#deleteSessionRows();
  }

  #entrySessions(command: LogCommand, logTimeMs: number): EntrySessions | undefined {
    return command.runs.length === 0
      ? undefined
      : new EntrySessions({
          runs: command.runs,
          table: this.#sessions,
          sessions: command.sessions,
          entryLogTimeMs: Number(command.logTimeMs),
          logTimeMs,
          readRow: (at) => this.#readSessionRow(at),
        });
  }

  #applyCommand(entry: Entry, applying: Applying, logTimeMs: number): void {
    const { command } = applying.command;
    switch (command.case) {
      case "writes":
        this.#applyWrites(command.value.writes, applying);
        this.#advance(entry, logTimeMs);
        return;
      case "deleteRange":
        this.#applyDeleteRange(command, applying);
        this.#advance(entry, logTimeMs);
        return;
      case "compactLog":
        this.#advance(entry, logTimeMs);
        this.#owner.compactLog(this.#part, Math.min(Number(command.value.index), entry.index));
        return;
      case undefined:
        assert(false, "decodeLogCommand refuses an entry without a command: to skip it would be to differ");
        break;
      default:
        assert(false, `an admin command is applied elsewhere: ${command.case}`);
    }
  }

  /** A part of its own, which holds all that the entry makes. */
  #applyAdmin(
    entry: Entry,
    command: LogCommand,
    confChange: ConfChange | undefined,
    logTimeMs: number,
  ): void {
    this.#submitEarlier();
    this.#deleteSessionRows();
    this.#isApplyingAdmin = true;
    try {
      const effect = this.#adminEffect(entry, { command, confChange, logTimeMs });
      this.#state = effect.state;
      this.#submit();
      effect.submitted?.();
    } finally {
      this.#isApplyingAdmin = false;
    }
  }

  #adminEffect(
    entry: Entry,
    { logTimeMs, ...admin }: Pick<AdminEntry, "command" | "confChange"> & { readonly logTimeMs: number },
  ): AdminEffect {
    const before = this.#state;
    try {
      this.#advance(entry, logTimeMs);
      return this.#owner.applyAdmin({ ...admin, state: this.#state }, this.#part);
    } catch (error) {
      // None of it may stay, least of all that it was applied: it is, when the peer is started again.
      this.#state = before;
      this.#part = new WritePart();
      throw error;
    }
  }

  #applyDeleteRange(
    range: Extract<LogCommand["command"], { case: "deleteRange" }>,
    applying: Applying,
  ): void {
    const { ours, sessions } = applying;
    const caller = ours?.callers[0];
    const verdict = this.#decideDeleteRange(range, applying);
    if (verdict?.kind === "answer") {
      this.#answer(caller, verdict.result);
      return;
    }
    // A step of its own in the stream: what came before must be submitted first, and the applied index comes after,
    // together with the record. A crash in between replays the entry, which is as new and deletes the range again.
    this.#submit();
    this.#owner.engine.deleteRange("data", range.value);
    const before = this.#state.revision;
    const after = before + 1;
    this.#state = { ...this.#state, revision: after };
    const result = deleteRangeResult(after);
    if (verdict?.kind === "record") {
      sessions?.record(result, { before, after });
      this.#putSessionRow(applying);
    }
    this.#answer(caller, result);
  }

  #decideDeleteRange(
    range: Extract<LogCommand["command"], { case: "deleteRange" }>,
    { ours, sessions }: Applying,
  ): Verdict | undefined {
    try {
      return sessions?.decide(0, range);
    } catch (error) {
      this.#refuse(ours?.callers ?? [], staleCommand("the peer stopped while the write was applied"));
      throw error;
    }
  }

  #applyWrites(writes: Writes, applying: Applying): void {
    const { ours } = applying;
    const before = this.#state.revision;
    let answeredCount = this.#answeredCallers.length;
    try {
      const verdicts = decideWrites(writes, applying.sessions);
      const reads = writes.some((write) => commandReads(write.command));
      if (reads) {
        // What earlier entries wrote must be visible to this one's reads.
        this.#submitEarlier();
      }
      answeredCount = this.#answeredCallers.length;
      const view = new ApplyView(this.#owner.engine, this.#part, reads);
      const counter = { revision: before };
      const results: WriteResult[] = [];
      for (const [place, write] of writes.entries()) {
        const caller = ours?.callers[place];
        const verdict = verdicts?.[place];
        const result = carryOut(write, verdict, { view, counter, results, isAwaited: caller !== undefined });
        if (verdict?.kind === "record") {
          applying.sessions?.record(result, { before, after: counter.revision });
        }
        if (verdicts !== undefined) {
          results.push(result);
        }
        this.#answer(caller, result);
      }
      this.addedBytes += view.addedBytes;
      this.#state = { ...this.#state, revision: counter.revision };
    } catch (error) {
      // Only what reads can fail, so the part holds nothing but this entry. None of it may stay: it is applied again,
      // by a peer that reads what is remembered of clients anew.
      this.#part = new WritePart();
      this.#answeredCallers.length = Math.min(answeredCount, this.#answeredCallers.length);
      this.#responses.length = this.#answeredCallers.length;
      this.#refuse(ours?.callers ?? [], staleCommand("the peer stopped while the write was applied"));
      throw error;
    }
    this.#putSessionRow(applying);
  }

  /** @throws RdbError RDB_DATA_CORRUPT */
  #readSessionRow(at: Index): SessionRow {
    // It may be a row of an entry just applied. Nothing of the entry at hand is in the part yet.
    this.#submitEarlier();
    const row = this.#owner.engine.get("session", indexedKey(this.#owner.region().id, at));
    if (row === undefined) {
      throw new RdbError("RDB_DATA_CORRUPT", `the session row of entry ${at} is missing`);
    }
    return decodeSessionRow(row);
  }

  #putSessionRow({ index, sessions }: Applying): void {
    const row = sessions?.finish(index);
    if (row !== undefined) {
      this.#part.put("session", indexedKey(this.#owner.region().id, index), row);
    }
  }

  #deleteSessionRows(): void {
    for (const removed of this.#sessions.takeRemoved()) {
      this.#part.delete("session", indexedKey(this.#owner.region().id, removed));
    }
  }

  #advance(entry: Entry, logTimeMs: number): void {
    this.#state = { ...this.#state, index: entry.index, term: entry.term, logTimeMs };
  }

  #submitEarlier(): void {
    if (!this.#part.isEmpty) {
      this.#submit();
    }
  }

  #submit(): void {
    putApplyState(this.#part, this.#owner.region().id, this.#state);
    this.#owner.engine.submit(this.#part);
    this.#part = new WritePart();
    const callers = this.#answeredCallers;
    const responses = this.#responses;
    this.#answeredCallers = [];
    this.#responses = [];
    for (const [place, caller] of callers.entries()) {
      caller.respond(responses[place] as KvResponse);
    }
  }

  #answer(caller: Caller | undefined, result: WriteResult): void {
    if (caller !== undefined) {
      this.#answeredCallers.push(caller);
      this.#responses.push(response(caller.requestId, result));
    }
  }

  /** Another entry was committed where ours stood: ours never will be. */
  #answerReplaced(pending: PendingEntry): void {
    this.#refuse(pending.callers, notLeader(this.#owner.region().id, undefined));
  }

  #answerEpoch(command: LogCommand, ours: PendingEntry | undefined): void {
    this.#refuse(ours?.callers ?? [], this.#owner.epochNotMatch(Number(command.epochVersion)));
  }

  #refuse(callers: readonly (Caller | undefined)[], error: RegionError): void {
    for (const caller of callers) {
      if (caller !== undefined) {
        this.#answeredCallers.push(caller);
        this.#responses.push(errorResponse(caller.requestId, error));
      }
    }
  }
}

function writeCount({ command }: LogCommand): number {
  return command.case === "writes" ? command.value.writes.length : 1;
}

/** Whether the entry changes the Region itself; its epoch is checked by its own rules. */
function isAdmin({ command }: LogCommand): boolean {
  return command.case !== "writes" && command.case !== "deleteRange" && command.case !== "compactLog";
}

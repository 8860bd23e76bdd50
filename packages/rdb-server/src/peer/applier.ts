import { type Region, assert, assertNever } from "@flaredb/rdb-base";
import type { KvResponse, LogCommand, RegionError } from "@flaredb/rdb-proto";
import type { Entry } from "@flaredb/rdb-raft";
import { type ApplyState, type Engine, WritePart, putApplyState } from "@flaredb/rdb-storage";
import { ApplyView } from "./apply-view.ts";
import { decodeLogCommand } from "./commands.ts";
import { commandReads, evaluateWrite } from "./evaluate-write.ts";
import type { Caller, PendingEntries, PendingEntry } from "./proposal-queue.ts";
import { deleteRangeResult } from "./range-delete.ts";
import { epochNotMatch, errorResponse, notLeader, response, staleCommand } from "./responses.ts";

/** What the applier works on, and what it tells. */
export interface ApplierOwner {
  readonly engine: Engine;
  region(): Region;
  /** Those who wait for entries of ours. */
  readonly pending: PendingEntries;
  /** The log may be cut up to `index`, in `part`. */
  compactLog(part: WritePart, index: number): void;
}

/**
 * The state machine of one Region: committed entries in, rows and answers out, in log order, each exactly once
 * (SPEC R4). The applied index travels in the same part as the rows. Answers are given when the part is submitted,
 * not when it is written: the log holds what it was made from.
 */
export class Applier {
  readonly #owner: ApplierOwner;
  #state: ApplyState;
  #part = new WritePart();
  /** Answers that are given when the part is submitted: responses beside their callers. */
  #answeredCallers: Caller[] = [];
  #responses: KvResponse[] = [];
  /** Bytes that puts added since the peer started: an upper bound of the growth. */
  addedBytes = 0;

  constructor(owner: ApplierOwner, state: ApplyState) {
    this.#owner = owner;
    this.#state = state;
  }

  get state(): ApplyState {
    return this.#state;
  }

  /** The content was replaced by a snapshot's. */
  reset(state: ApplyState): void {
    this.#state = state;
  }

  /**
   * Applies entries that are committed and durable here, and submits what they made.
   *
   * @throws RdbError RDB_DATA_CORRUPT on an entry that this program cannot read; what came before it is submitted
   */
  apply(entries: readonly Entry[]): void {
    try {
      for (const entry of entries) {
        this.#applyEntry(entry);
      }
    } finally {
      this.#submit();
    }
  }

  #applyEntry(entry: Entry): void {
    const pending = this.#owner.pending.take(entry.index);
    const ours = pending?.term === entry.term ? pending : undefined;
    if (pending !== undefined && ours === undefined) {
      this.#answerReplaced(pending);
    }
    if (entry.data.length === 0) {
      this.#advance(entry, this.#state.logTimeMs);
      return;
    }
    const command = ours?.command ?? decodeLogCommand(entry.data);
    const logTimeMs = Math.max(this.#state.logTimeMs, Number(command.logTimeMs));
    if (Number(command.epochVersion) !== this.#owner.region().epoch.version) {
      this.#answerEpoch(command, ours);
      this.#advance(entry, logTimeMs);
      return;
    }
    this.#applyCommand(entry, command, ours, logTimeMs);
  }

  #applyCommand(entry: Entry, command: LogCommand, ours: PendingEntry | undefined, logTimeMs: number): void {
    switch (command.command.case) {
      case "writes":
        this.#applyWrites(command.command.value.writes, ours);
        this.#advance(entry, logTimeMs);
        return;
      case "deleteRange": {
        const range = command.command.value;
        // A step of its own in the stream: what came before must be submitted first, and the applied index comes
        // after. A crash in between replays the entry, which deletes the same range again.
        this.#submit();
        this.#owner.engine.deleteRange("data", range);
        this.#state = { ...this.#state, revision: this.#state.revision + 1 };
        this.#advance(entry, logTimeMs);
        this.#answer(ours?.callers[0], deleteRangeResult(this.#state.revision));
        return;
      }
      case "compactLog":
        this.#advance(entry, logTimeMs);
        this.#owner.compactLog(this.#part, Math.min(Number(command.command.value.index), entry.index));
        return;
      case undefined:
        assert(false, "decodeLogCommand refuses an entry without a command: to skip it would be to differ");
        break;
      default:
        assertNever(command.command, "log command");
    }
  }

  #applyWrites(
    writes: Extract<LogCommand["command"], { case: "writes" }>["value"]["writes"],
    ours: PendingEntry | undefined,
  ): void {
    const reads = writes.some((write) => commandReads(write.command));
    if (reads && !this.#part.isEmpty) {
      // What earlier entries wrote must be visible to this one's reads.
      this.#submit();
    }
    const answeredCount = this.#answeredCallers.length;
    const view = new ApplyView(this.#owner.engine, this.#part, reads);
    const counter = { revision: this.#state.revision };
    try {
      for (const [place, write] of writes.entries()) {
        const caller = ours?.callers[place];
        this.#answer(caller, evaluateWrite(write.command, view, counter, caller !== undefined));
      }
    } catch (error) {
      // Only what reads can fail, so the part holds nothing but this entry. None of it may stay: it is applied again.
      this.#part = new WritePart();
      this.#answeredCallers.length = answeredCount;
      this.#responses.length = answeredCount;
      this.#refuse(ours?.callers ?? [], staleCommand("the peer stopped while the write was applied"));
      throw error;
    }
    this.addedBytes += view.addedBytes;
    this.#state = { ...this.#state, revision: counter.revision };
  }

  #advance(entry: Entry, logTimeMs: number): void {
    this.#state = { ...this.#state, index: entry.index, term: entry.term, logTimeMs };
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

  #answer(caller: Caller | undefined, result: ReturnType<typeof evaluateWrite>): void {
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
    this.#refuse(ours?.callers ?? [], epochNotMatch(this.#owner.region(), command.epochVersion));
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

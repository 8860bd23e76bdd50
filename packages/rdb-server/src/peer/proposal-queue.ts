import type { KvResponse, LogCommand } from "@flaredb/rdb-proto";
import type { ProposableCommand } from "./commands.ts";
import type { RequestIdentity } from "./request-identity.ts";

/** Who waits for the answer to one request. */
export interface Caller {
  readonly requestId: number;
  /** Monotonic time after which the caller no longer waits. */
  readonly deadlineMs: number;
  /** Called exactly once, on the caller itself. */
  respond(response: KvResponse): void;
  /** Of a write in the log, where its entry is; whoever proposes it says so. */
  timeline?: EntryTimeline | undefined;
  /** Of a read, since when it is being served; monotonic. */
  servedMs?: number;
  /** Told why a read may be served, right before it is. Absent: nobody wants to know. */
  readBy?(by: ServedBy): void;
}

/** On whose word a peer serves a read: its lease, a majority's, or its leader's. */
export type ServedBy = "lease" | "read_index" | "follower";

/** When an entry of ours came how far; monotonic, 0: not yet. */
export interface EntryTimeline {
  readonly proposedMs: number;
  /** Durable on this Store. */
  durableMs: number;
  /** Committed, durable here, and about to be applied. */
  committedMs: number;
}

/** A write that waits to be put into an entry. */
export interface Proposal {
  readonly caller: Caller;
  readonly command: ProposableCommand;
  /** The Region's version that the request was checked against: an entry of another must not hold it. */
  readonly epochVersion: number;
  /** Absent: it may be applied twice when it is sent twice. */
  readonly identity: RequestIdentity | undefined;
  /** About what it adds to an entry. */
  readonly sizeBytes: number;
}

/** Writes that wait at one leader to be proposed, folded into few entries then. Bounded. */
export class ProposalQueue {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #waiting: Proposal[] = [];
  #bytes = 0;

  constructor(limits: { readonly maxCount: number; readonly maxBytes: number }) {
    this.#maxCount = limits.maxCount;
    this.#maxBytes = limits.maxBytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** @returns false when the queue is full */
  push(proposal: Proposal): boolean {
    if (this.#waiting.length >= this.#maxCount || this.#bytes + proposal.sizeBytes > this.#maxBytes) {
      return false;
    }
    this.#waiting.push(proposal);
    this.#bytes += proposal.sizeBytes;
    return true;
  }

  /**
   * Takes all, in groups that make one entry each: at most `entryMaxBytes`, but at least one proposal. A deleteRange has
   * an entry of its own.
   */
  takeGroups(entryMaxBytes: number): Proposal[][] {
    const groups: Proposal[][] = [];
    let group: Proposal[] | undefined;
    let groupBytes = 0;
    for (const proposal of this.#waiting) {
      const isAlone = proposal.command.case === "deleteRange";
      if (group === undefined || isAlone || groupBytes + proposal.sizeBytes > entryMaxBytes) {
        group = [];
        groups.push(group);
        groupBytes = 0;
      }
      group.push(proposal);
      groupBytes += proposal.sizeBytes;
      if (isAlone) {
        group = undefined;
      }
    }
    this.#waiting = [];
    this.#bytes = 0;
    return groups;
  }

  /** Takes the callers that `isOver` names, with their writes. */
  takeCallers(isOver: (caller: Caller) => boolean): Caller[] {
    const taken: Caller[] = [];
    if (this.isEmpty) {
      return taken;
    }
    this.#waiting = this.#waiting.filter(({ caller, sizeBytes }) => {
      if (!isOver(caller)) {
        return true;
      }
      taken.push(caller);
      this.#bytes -= sizeBytes;
      return false;
    });
    return taken;
  }
}

/** An entry of ours that is in the log and not yet applied. */
export interface PendingEntry {
  readonly index: number;
  readonly term: number;
  /** The entry's command, so that its proposer need not decode it. */
  readonly command: LogCommand;
  /** In the order of the command's writes; undefined: this one was answered already. */
  readonly callers: readonly (Caller | undefined)[];
  readonly timeline?: EntryTimeline;
}

/**
 * The entries whose proposers wait, by index. An entry's fate is known when something is applied at its index: itself,
 * or, with another term, what replaced it for good. Losing the leadership alone tells nothing.
 */
export class PendingEntries {
  readonly #byIndex = new Map<number, PendingEntry>();
  #callerCount = 0;

  get callerCount(): number {
    return this.#callerCount;
  }

  /** A former entry at the same index, proposed in an older term, keeps its callers: it comes back. */
  add(entry: PendingEntry): PendingEntry | undefined {
    const replaced = this.take(entry.index);
    this.#byIndex.set(entry.index, entry);
    this.#callerCount += countCallers(entry);
    return replaced;
  }

  get(index: number): PendingEntry | undefined {
    return this.#byIndex.get(index);
  }

  take(index: number): PendingEntry | undefined {
    const entry = this.#byIndex.get(index);
    if (entry !== undefined) {
      this.#byIndex.delete(index);
      this.#callerCount -= countCallers(entry);
    }
    return entry;
  }

  /** Takes the callers that `isOver` names. Their entries stay while others wait for them. */
  takeCallers(isOver: (caller: Caller) => boolean): Caller[] {
    const taken: Caller[] = [];
    for (const entry of [...this.#byIndex.values()]) {
      const countBefore = taken.length;
      const callers = entry.callers.map((caller) => {
        if (caller === undefined || !isOver(caller)) {
          return caller;
        }
        taken.push(caller);
        return undefined;
      });
      if (taken.length > countBefore) {
        this.take(entry.index);
        if (callers.some((caller) => caller !== undefined)) {
          this.add({ ...entry, callers });
        }
      }
    }
    return taken;
  }
}

/** Those of the entry who wait still. */
export function countCallers({ callers }: Pick<PendingEntry, "callers">): number {
  return callers.reduce((count, caller) => count + (caller === undefined ? 0 : 1), 0);
}

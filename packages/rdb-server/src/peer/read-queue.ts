import type { KvRequest } from "@flaredb/rdb-proto";
import type { Caller } from "./proposal-queue.ts";

/** A read that waits to be served. */
export interface PendingRead {
  readonly caller: Caller;
  readonly command: KvRequest["command"];
  /** Served by this peer whether or not it leads. */
  readonly fromFollower: boolean;
  /** The Region's version that the request was made for. */
  readonly epochVersion: number;
}

/** One round of ReadIndex, for all reads that gathered before it. */
interface ReadRound {
  readonly context: string;
  readonly sentMs: number;
  readonly reads: PendingRead[];
}

/** A read whose index is known: to be served once that is applied. */
export interface ReadyRead {
  readonly read: PendingRead;
  readonly index: number;
  /** Served on the lease, which must still hold then; otherwise on a round's word. */
  readonly onLease: boolean;
}

/** More rounds at once gain nothing: a later round's answer confirms the earlier ones. */
const READ_ROUNDS_MAX_COUNT = 8;
/** When no round was answered for this long another one is made: messages may be lost. */
const READ_ROUND_RETRY_MS = 500;

/** Reads of one peer on their way: gathered → in a round → waiting for apply. Bounded; pure but for the callers. */
export class ReadQueue {
  readonly #maxCount: number;
  #gathered: PendingRead[] = [];
  #rounds: ReadRound[] = [];
  #ready: ReadyRead[] = [];
  #count = 0;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  get count(): number {
    return this.#count;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Reads that need a round. @returns false when the queue is full */
  gather(read: PendingRead): boolean {
    if (this.#count >= this.#maxCount) {
      return false;
    }
    this.#count++;
    this.#gathered.push(read);
    return true;
  }

  /** A read that may be served on the lease once `index` is applied. @returns false when the queue is full */
  addOnLease(read: PendingRead, index: number): boolean {
    if (this.#count >= this.#maxCount) {
      return false;
    }
    this.#count++;
    this.#ready.push({ read, index, onLease: true });
    return true;
  }

  /** Whether a round should be made now: reads wait for one, or for one that seems lost. */
  needsRound(nowMs: number): boolean {
    if (this.#gathered.length > 0 && this.#rounds.length < READ_ROUNDS_MAX_COUNT) {
      return true;
    }
    const newest = this.#rounds.at(-1);
    const seemLost = newest !== undefined && nowMs - newest.sentMs > READ_ROUND_RETRY_MS;
    return seemLost && (this.#gathered.length > 0 || this.#rounds.some((round) => round.reads.length > 0));
  }

  /** Begins a round, which takes along all that gathered. Those under way may still be answered, by it or by themselves. */
  beginRound(context: string, nowMs: number): void {
    this.#rounds.push({ context, sentMs: nowMs, reads: this.#gathered });
    this.#gathered = [];
    if (this.#rounds.length > READ_ROUNDS_MAX_COUNT) {
      const [oldest, next] = this.#rounds.splice(0, 2) as [ReadRound, ReadRound];
      this.#rounds.unshift({ ...next, reads: [...oldest.reads, ...next.reads] });
    }
  }

  /**
   * A round was answered: its reads, and those of the rounds before it, wait for `index` from now on.
   *
   * @returns when the round was sent, or undefined when it is not known any more
   */
  completeRound(context: string, index: number): number | undefined {
    const place = this.#rounds.findIndex((round) => round.context === context);
    if (place === -1) {
      return undefined;
    }
    const completed = this.#rounds.splice(0, place + 1);
    for (const read of completed.flatMap((round) => round.reads)) {
      this.#ready.push({ read, index, onLease: false });
    }
    return completed.at(-1)?.sentMs;
  }

  /** Takes the reads that may be served with `appliedIndex` applied. */
  takeReady(appliedIndex: number): ReadyRead[] {
    if (this.#ready.length === 0) {
      return [];
    }
    const due = this.#ready.filter((ready) => ready.index <= appliedIndex);
    if (due.length > 0) {
      this.#ready = this.#ready.filter((ready) => ready.index > appliedIndex);
      this.#count -= due.length;
    }
    return due;
  }

  /** Takes every read that `isOver` names, wherever it waits. */
  takeWhere(isOver: (read: PendingRead) => boolean): PendingRead[] {
    const taken: PendingRead[] = [];
    const keep = (read: PendingRead): boolean => {
      if (!isOver(read)) {
        return true;
      }
      taken.push(read);
      return false;
    };
    this.#gathered = this.#gathered.filter(keep);
    this.#rounds = this.#rounds.map((round) => ({ ...round, reads: round.reads.filter(keep) }));
    this.#ready = this.#ready.filter((ready) => keep(ready.read));
    this.#count -= taken.length;
    return taken;
  }

  /** Forgets the rounds under way; their reads wait for another. After a change of leader or term. */
  abandonRounds(): void {
    this.#gathered = [...this.#rounds.flatMap((round) => round.reads), ...this.#gathered];
    this.#rounds = [];
  }
}

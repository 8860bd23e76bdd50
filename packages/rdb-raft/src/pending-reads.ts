import type { Index, PeerId } from "@flaredb/rdb-base";
import type { Message } from "./messages.ts";

/** Most reads that wait at a leader at once; past it a read is dropped, and its driver asks again. */
export const MAX_PENDING_READS = 65_536;

/** A read request, and the commit index that it waits for. */
export interface PendingRead {
  readonly request: Message;
  readonly index: Index;
}

interface UnconfirmedRead extends PendingRead {
  readonly key: string;
  /** Who has confirmed, since the request, that this peer leads. */
  readonly acks: Map<PeerId, boolean>;
}

/**
 * A leader's reads: those postponed until it has committed an entry of its term, and those that wait for a
 * quorum to confirm its leadership (thesis §6.4). Reads of a follower whose leader changes are lost; the
 * driver asks again.
 */
export class PendingReads {
  #postponed: Message[] = [];
  readonly #byKey = new Map<string, UnconfirmedRead>();
  /** In the order of the requests: a round that confirms one confirms all before it. */
  #queue: UnconfirmedRead[] = [];

  /** Keeps a read for later. */
  postpone(request: Message): void {
    if (this.#postponed.length < MAX_PENDING_READS) {
      this.#postponed.push(request);
    }
  }

  /** The postponed reads, which are its caller's from here on. */
  takePostponed(): readonly Message[] {
    const postponed = this.#postponed;
    this.#postponed = [];
    return postponed;
  }

  get hasPostponed(): boolean {
    return this.#postponed.length > 0;
  }

  /** Adds a read at the commit index of now. False when its context waits already, or too many reads do. */
  add(request: Message, index: Index): boolean {
    const key = keyOf(request.context);
    if (this.#byKey.has(key) || this.#queue.length >= MAX_PENDING_READS) {
      return false;
    }
    const read: UnconfirmedRead = { request, index, key, acks: new Map() };
    this.#byKey.set(key, read);
    this.#queue.push(read);
    return true;
  }

  /** Notes that `id` has confirmed the read of `context`. Who has confirmed it so far; undefined when it does not wait. */
  acknowledge(id: PeerId, context: Uint8Array): ReadonlyMap<PeerId, boolean> | undefined {
    return this.#byKey.get(keyOf(context))?.acks.set(id, true);
  }

  /** A quorum has confirmed the read of `context`: returns it and all before it, oldest first. */
  advance(context: Uint8Array): readonly PendingRead[] {
    const key = keyOf(context);
    const position = this.#queue.findIndex((read) => read.key === key);
    const confirmed = this.#queue.slice(0, position + 1);
    this.#queue = this.#queue.slice(position + 1);
    for (const read of confirmed) {
      this.#byKey.delete(read.key);
    }
    return confirmed;
  }

  /** The context of the newest read that waits. */
  lastContext(): Uint8Array | undefined {
    return this.#queue.at(-1)?.request.context;
  }
}

function keyOf(context: Uint8Array | undefined): string {
  return context === undefined ? "" : String.fromCharCode(...context);
}

import { assert } from "@flaredb/rdb-base";
import type { WriteSession } from "./write-sessions.ts";

/**
 * What makes a write one write, however often it is sent: the Stores apply it once and answer each copy alike. It is
 * open from its first attempt until the call has ended, or until it is known that no attempt was applied.
 */
export class WriteIdentity {
  readonly session: WriteSession;
  readonly sequence: number;
  /** When it was first sent, by the Region's log time as estimated then; milliseconds. The same in every retry. */
  readonly issuedAtMs: bigint;
  /** Whether some attempt was sent and nobody said that it was not applied: it may be, now or later. */
  isUncertain = false;
  /** Where it is open, and its neighbours there. */
  list: OpenWrites | undefined;
  previous: WriteIdentity | undefined;
  next: WriteIdentity | undefined;

  constructor(session: WriteSession, sequence: number, issuedAtMs: bigint) {
    this.session = session;
    this.sequence = sequence;
    this.issuedAtMs = issuedAtMs;
  }

  /** It is never sent again. */
  close(): void {
    assert(this.list !== undefined, "a write is closed once");
    this.list.remove(this);
  }
}

/** Open writes of one session by rising sequence: opening, closing and finding the lowest take a few assignments. */
export class OpenWrites {
  #first: WriteIdentity | undefined;
  #last: WriteIdentity | undefined;

  /** The lowest open sequence; undefined when none is. */
  get lowest(): number | undefined {
    return this.#first?.sequence;
  }

  /** Its sequence is above all those that are here. */
  append(write: WriteIdentity): void {
    this.#insert(write, undefined);
  }

  remove(write: WriteIdentity): void {
    const { previous, next } = write;
    if (previous === undefined) {
      this.#first = next;
    } else {
      previous.next = next;
    }
    if (next === undefined) {
      this.#last = previous;
    } else {
      next.previous = previous;
    }
    write.list = undefined;
    write.previous = undefined;
    write.next = undefined;
  }

  /** Takes over all that another list holds. */
  absorb(other: OpenWrites): void {
    let before = this.#first;
    for (let write = other.#first; write !== undefined; write = other.#first) {
      other.remove(write);
      while (before !== undefined && before.sequence < write.sequence) {
        before = before.next;
      }
      this.#insert(write, before);
    }
  }

  /** @param before undefined: at the end */
  #insert(write: WriteIdentity, before: WriteIdentity | undefined): void {
    const previous = before === undefined ? this.#last : before.previous;
    write.list = this;
    write.previous = previous;
    write.next = before;
    if (previous === undefined) {
      this.#first = write;
    } else {
      previous.next = write;
    }
    if (before === undefined) {
      this.#last = write;
    } else {
      before.previous = write;
    }
  }
}

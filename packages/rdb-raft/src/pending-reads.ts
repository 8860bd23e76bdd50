import type { Index, PeerId } from "@flaredb/rdb-base";
import type { Message } from "./messages.ts";
import type { JointConfig } from "./quorum/joint.ts";

/** Most reads that wait at a leader at once; past it a read is dropped, and its driver asks again. */
export const MAX_PENDING_READS = 65_536;

/** A read request, and the commit index that it waits for. */
export interface PendingRead {
  readonly request: Message;
  readonly index: Index;
}

/**
 * A leader's reads: those postponed until it has committed an entry of its term, and those that wait for a
 * quorum to confirm its leadership (thesis §6.4).
 *
 * Every read gets the next position in this term, from 1 on, and a heartbeat asks to confirm all up to a
 * position. Positions are never used twice, so an answer that was late or repeated confirms no read that came
 * after its heartbeat, whatever contexts the reads have. Reads are lost when the term ends.
 */
export class PendingReads {
  #postponed: Message[] = [];
  /** In the order of their positions. */
  #unconfirmed: PendingRead[] = [];
  /** The position of the last read that was confirmed. */
  #confirmed = 0;
  /** The highest position that each peer has confirmed. */
  readonly #acks = new Map<PeerId, number>();

  /** Keeps a read for later. */
  postpone(request: Message): void {
    if (this.#postponed.length < MAX_PENDING_READS) {
      this.#postponed.push(request);
    }
  }

  get hasPostponed(): boolean {
    return this.#postponed.length > 0;
  }

  /** The postponed reads, which are its caller's from here on. */
  takePostponed(): readonly Message[] {
    const postponed = this.#postponed;
    this.#postponed = [];
    return postponed;
  }

  /** Adds a read at the commit index of now. False when too many wait. */
  add(request: Message, index: Index): boolean {
    if (this.#unconfirmed.length >= MAX_PENDING_READS) {
      return false;
    }
    this.#unconfirmed.push({ request, index });
    return true;
  }

  /** The context of a heartbeat that asks to confirm every read that waits; undefined when none does. */
  heartbeatContext(): Uint8Array | undefined {
    return this.#unconfirmed.length === 0
      ? undefined
      : encodePosition(this.#confirmed + this.#unconfirmed.length);
  }

  /** Notes that `id` has answered a heartbeat with this context. */
  acknowledge(id: PeerId, context: Uint8Array): void {
    this.#acks.set(id, Math.max(this.#acks.get(id) ?? 0, decodePosition(context)));
  }

  /** Takes out the reads that a quorum of `voters` has confirmed, oldest first. */
  advance(voters: JointConfig): readonly PendingRead[] {
    const acked = voters.committedIndex((id) => this.#acks.get(id) as Index | undefined);
    const count = Math.min(acked - this.#confirmed, this.#unconfirmed.length);
    if (count <= 0) {
      return [];
    }
    this.#confirmed += count;
    return this.#unconfirmed.splice(0, count);
  }
}

const POSITION_BYTES = 8;

function encodePosition(position: number): Uint8Array {
  const context = new Uint8Array(POSITION_BYTES);
  new DataView(context.buffer).setBigUint64(0, BigInt(position), true);
  return context;
}

/** 0, which confirms nothing, for what is no position. */
function decodePosition(context: Uint8Array): number {
  if (context.length !== POSITION_BYTES) {
    return 0;
  }
  return Number(new DataView(context.buffer, context.byteOffset).getBigUint64(0, true));
}

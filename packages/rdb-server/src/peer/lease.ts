import type { Term } from "@flaredb/rdb-base";

/**
 * The leader's promise to itself that nobody else can lead until a moment (Raft thesis §6.4.1, DESIGN §6).
 *
 * It is counted from the moment when a round of heartbeats was *sent*: a quorum that answered will not vote for
 * another peer for one election timeout from receipt, which is later. Times are the monotonic clock's.
 */
export class LeaderLease {
  readonly #leaseMs: number;
  #expiresMs = Number.NEGATIVE_INFINITY;
  #term = 0;
  #offInTerm = 0;

  /** @param leaseMs 0 turns leases off: every read makes its own round */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** A quorum answered a round that was sent at `sentMs` by the leader of `term`. */
  renew(sentMs: number, term: Term): void {
    if (this.#leaseMs === 0 || term === this.#offInTerm) {
      return;
    }
    const expiresMs = sentMs + this.#leaseMs;
    this.#expiresMs = term === this.#term ? Math.max(this.#expiresMs, expiresMs) : expiresMs;
    this.#term = term;
  }

  isValid(nowMs: number, term: Term): boolean {
    return term === this.#term && nowMs < this.#expiresMs;
  }

  /** Whether a round should be made now, so that reads go on without a gap. */
  isEnding(nowMs: number): boolean {
    return nowMs > this.#expiresMs - this.#leaseMs / 2;
  }

  /** Gives the lease up; a later round may renew it. Before a leader sleeps. */
  expire(): void {
    this.#expiresMs = Number.NEGATIVE_INFINITY;
  }

  /** No lease for the rest of `term`: TimeoutNow was sent, and it may arrive at any later time. */
  turnOff(term: Term): void {
    this.#offInTerm = term;
    this.expire();
  }
}

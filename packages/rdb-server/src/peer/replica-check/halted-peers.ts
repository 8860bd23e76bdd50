import { type Clock, type PeerId, SECOND_MS } from "@flaredb/rdb-base";

/** For how long a peer counts as halted after it said so: several heartbeats. Its Store may have been started again. */
const HALTED_MAX_AGE_MS = 10 * SECOND_MS;

/** The peers of which a leader knows that they have halted: those that said so lately. */
export class HaltedPeers {
  readonly #clock: Clock;
  readonly #saidMs = new Map<PeerId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The peer says that it has halted. @returns whether that is news */
  note(id: PeerId): boolean {
    const isNews = !this.has(id);
    this.#saidMs.set(id, this.#clock.monotonicMs());
    return isNews;
  }

  has(id: PeerId): boolean {
    const saidMs = this.#saidMs.get(id);
    return saidMs !== undefined && this.#clock.monotonicMs() - saidMs < HALTED_MAX_AGE_MS;
  }

  clear(): void {
    this.#saidMs.clear();
  }
}

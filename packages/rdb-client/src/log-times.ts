import type { Clock, RegionId } from "@flaredb/rdb-base";

/** Regions whose log time is known to differ from this client's time; past it, all are learned anew. */
const OFFSET_MAX_COUNT = 10_000;

/**
 * What time it is in a Region's log, as far as a client can tell. It counts as the wall clock did when the client
 * started, from then on by the monotonic clock, so it never goes back; a Region that refuses a write for its time says
 * what its own is, and is believed.
 */
export class LogTimes {
  readonly #clock: Clock;
  /** Wall clock less monotonic clock at the start. */
  readonly #startMs: number;
  readonly #offsetsMs = new Map<RegionId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.wallMs() - clock.monotonicMs();
  }

  /** @param nowMs on the monotonic clock */
  estimateMs(id: RegionId, nowMs: number): number {
    return Math.max(0, Math.floor(this.#startMs + nowMs + (this.#offsetsMs.get(id) ?? 0)));
  }

  /** A Region named its log time just now. */
  learn(id: RegionId, logTimeMs: number): void {
    if (this.#offsetsMs.size >= OFFSET_MAX_COUNT && !this.#offsetsMs.has(id)) {
      this.#offsetsMs.clear();
    }
    this.#offsetsMs.set(id, logTimeMs - this.#startMs - this.#clock.monotonicMs());
  }
}

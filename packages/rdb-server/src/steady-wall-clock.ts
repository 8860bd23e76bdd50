import type { Clock } from "@flaredb/rdb-base";

/** How fast a wall clock that is elsewhere is followed, as a part of the time that passes: ten times a bad quartz's drift. */
const FOLLOW_RATE = 0.001;
/** How far it is followed at a time, however long nobody asked: no further than a write may be ahead of log time. */
const FOLLOW_MAX_MS = 5_000;

/**
 * What the wall clock would say had nobody set it since this was made: it counts on by the monotonic clock, and draws near to
 * the wall clock slowly. So a wall clock that jumps, forth or back, takes nothing of what is given for some time
 * by log time.
 */
export class SteadyWallClock {
  readonly #clock: Clock;
  /** What the monotonic clock lacks. */
  #offsetMs: number;
  #lastMonotonicMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMonotonicMs = clock.monotonicMs();
    this.#offsetMs = clock.wallMs() - this.#lastMonotonicMs;
  }

  /** Milliseconds since 1970, with fractions. Never goes back. */
  nowMs(): number {
    const monotonicMs = this.#clock.monotonicMs();
    const mayFollowMs = Math.min((monotonicMs - this.#lastMonotonicMs) * FOLLOW_RATE, FOLLOW_MAX_MS);
    const behindMs = this.#clock.wallMs() - monotonicMs - this.#offsetMs;
    this.#offsetMs += Math.max(-mayFollowMs, Math.min(mayFollowMs, behindMs));
    this.#lastMonotonicMs = monotonicMs;
    return monotonicMs + this.#offsetMs;
  }
}

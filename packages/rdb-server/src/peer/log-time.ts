/**
 * Log time: the time that entries carry, so that every peer decides by the same clock (DESIGN §6). The leader's
 * monotonic clock, started from the greater of its wall clock, as it was before somebody set it, and the last log time in
 * its log: it never goes back along the log, whatever wall clocks do.
 */
export class LogTime {
  #baseMs = 0;
  #baseMonotonicMs = 0;
  #lastMs = 0;

  /** At election. `lastMs` is the greatest log time in the log, applied or not. */
  start(options: { readonly wallMs: number; readonly monotonicMs: number; readonly lastMs: number }): void {
    this.#baseMs = Math.max(Math.floor(options.wallMs), options.lastMs);
    this.#baseMonotonicMs = options.monotonicMs;
    this.#lastMs = options.lastMs;
  }

  /**
   * An entry was applied that is further on: from here on time runs from there. Entries that were not yet durable at
   * the election were not seen then.
   */
  observe(appliedMs: number, monotonicMs: number): void {
    if (appliedMs > this.next(monotonicMs)) {
      this.#baseMs = appliedMs;
      this.#baseMonotonicMs = monotonicMs;
    }
  }

  /** The log time of an entry proposed now; milliseconds since 1970. */
  next(monotonicMs: number): number {
    const nowMs = this.#baseMs + Math.floor(monotonicMs - this.#baseMonotonicMs);
    this.#lastMs = Math.max(this.#lastMs, nowMs);
    return this.#lastMs;
  }
}

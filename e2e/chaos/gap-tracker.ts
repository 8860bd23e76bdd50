/**
 * How long one stream of writes stood still while it should not have. Times are of one monotonic clock, milliseconds.
 *
 * While no majority is up nothing is promised: the time until then counts, and what follows counts from the first
 * acknowledgement after it is back; how long that one takes is the recovery, which is judged by itself.
 */
export class GapTracker {
  #longestMs = 0;
  /** Since the last `mark`. */
  #markedMs = 0;
  /** The last acknowledgement; undefined while no time counts. */
  #sinceMs: number | undefined;
  #majorityIsUp = true;

  /** A write was acknowledged. */
  acknowledged(nowMs: number): void {
    this.#count(nowMs);
    this.#sinceMs = this.#majorityIsUp ? nowMs : undefined;
  }

  /** From now on nothing is promised. */
  majorityLost(nowMs: number): void {
    this.#count(nowMs);
    this.#majorityIsUp = false;
    this.#sinceMs = undefined;
  }

  /** From the next acknowledgement on, gaps count again. */
  majorityIsBack(): void {
    this.#majorityIsUp = true;
  }

  /** The longest gap so far, the one that still lasts included. */
  longestMs(nowMs: number): number {
    return Math.max(this.#longestMs, this.#lastingMs(nowMs));
  }

  /** Something begins whose own gaps are asked for. */
  mark(): void {
    this.#markedMs = 0;
  }

  /** The longest of the gaps that ended since the mark, the one that still lasts included. */
  longestSinceMarkMs(nowMs: number): number {
    return Math.max(this.#markedMs, this.#lastingMs(nowMs));
  }

  #lastingMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }

  #count(nowMs: number): void {
    this.#longestMs = this.longestMs(nowMs);
    this.#markedMs = this.longestSinceMarkMs(nowMs);
  }
}

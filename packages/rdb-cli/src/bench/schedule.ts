/** When calls begin. */
export interface Schedule {
  /**
   * Takes the next call.
   *
   * @returns when it was meant to begin, from which its latency counts; or why there is none
   */
  take(nowMs: number): number | "not due" | "ended";
  /** No call is taken any more. */
  stop(): void;
  /** Calls that were due and were not taken when all ended. */
  readonly unstartedCount: number;
}

/** What ends a schedule: whichever comes first. */
export interface ScheduleEnd {
  readonly startMs: number;
  /** From `startMs`; Infinity: no end in time. */
  readonly durationMs: number;
  /** Infinity: no end in number. */
  readonly total: number;
}

/** Closed loop: each client begins a call when its last one was answered. */
export class ClosedLoop implements Schedule {
  readonly unstartedCount = 0;
  readonly #endMs: number;
  #remaining: number;

  constructor({ startMs, durationMs, total }: ScheduleEnd) {
    this.#endMs = startMs + durationMs;
    this.#remaining = total;
  }

  take(nowMs: number): number | "ended" {
    if (this.#remaining <= 0 || nowMs >= this.#endMs) {
      return "ended";
    }
    this.#remaining--;
    return nowMs;
  }

  stop(): void {
    this.#remaining = 0;
  }
}

/**
 * Open loop: calls are due at a fixed rate, whatever the answers do. One that finds every client busy waits, and the
 * wait is part of its latency: a stall is felt by all that were due meanwhile (no coordinated omission).
 */
export class OpenLoop implements Schedule {
  readonly #startMs: number;
  readonly #intervalMs: number;
  /** How many calls there are in all. */
  readonly #count: number;
  readonly #endMs: number;
  #taken = 0;
  #stoppedMs: number | undefined;
  #lastMs = 0;

  constructor({ startMs, durationMs, total }: ScheduleEnd, ratePerSecond: number) {
    this.#startMs = startMs;
    this.#intervalMs = 1_000 / ratePerSecond;
    this.#endMs = startMs + durationMs;
    this.#count = Math.min(total, Math.ceil(durationMs / this.#intervalMs));
  }

  take(nowMs: number): number | "not due" | "ended" {
    this.#lastMs = nowMs;
    if (this.#taken >= this.#count || this.#stoppedMs !== undefined || nowMs >= this.#endMs) {
      return "ended";
    }
    const dueMs = this.#startMs + this.#taken * this.#intervalMs;
    if (dueMs > nowMs) {
      return "not due";
    }
    this.#taken++;
    return dueMs;
  }

  stop(): void {
    this.#stoppedMs ??= this.#lastMs;
  }

  get unstartedCount(): number {
    const untilMs = Math.min(this.#stoppedMs ?? this.#lastMs, this.#endMs);
    const dueCount = Math.ceil((untilMs - this.#startMs) / this.#intervalMs);
    return Math.max(0, Math.min(dueCount, this.#count) - this.#taken);
  }
}

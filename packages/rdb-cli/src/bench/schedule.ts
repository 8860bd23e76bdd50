/** When calls begin. */
export interface Schedule {
  /**
   * Takes the next call.
   *
   * @param isClientFree a client waited for it: what was due before the end is then taken after it too, for only the
   *   timer is late
   * @returns when it was meant to begin, from which its latency counts; or why there is none
   */
  take(nowMs: number, isClientFree: boolean): number | "not due" | "ended";
  /** No call is taken any more. @param isClientFree as for {@link take}: then nothing was due that was not taken */
  stop(nowMs: number, isClientFree: boolean): void;
  /** Calls that were due and were not taken when all ended. */
  readonly unstartedCount: number;
  /** The moment up to which the calls that were taken reach at their rate; without a rate the beginning. */
  readonly filledUntilMs: number;
}

/** What ends a schedule: whichever comes first. */
export interface ScheduleEnd {
  readonly startMs: number;
  /** From `startMs`; Infinity: no end in time. */
  readonly durationMs: number;
  /** Infinity: no end in number. */
  readonly total: number;
}

/** Which calls of a rate a process makes: every `of`-th, beginning with number `place`. */
interface RateShare {
  /** From 0. */
  readonly place: number;
  readonly of: number;
}

const WHOLE: RateShare = { place: 0, of: 1 };

/** Closed loop: each client begins a call when its last one was answered. */
export class ClosedLoop implements Schedule {
  readonly unstartedCount = 0;
  readonly filledUntilMs: number;
  readonly #endMs: number;
  #remaining: number;

  constructor({ startMs, durationMs, total }: ScheduleEnd) {
    this.filledUntilMs = startMs;
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
  readonly #share: RateShare;
  /** Between two calls that are due, of whatever process. */
  readonly #intervalMs: number;
  /** How many calls this process makes. */
  readonly #count: number;
  readonly #endMs: number;
  #taken = 0;
  #stoppedMs: number | undefined;
  /** The end has passed and no client was free: clients that become so later take nothing of before. */
  #isOver = false;
  #lastMs: number;

  /** @param ratePerSecond of all processes. @param share this one's */
  constructor({ startMs, durationMs, total }: ScheduleEnd, ratePerSecond: number, share = WHOLE) {
    this.#share = share;
    this.#startMs = startMs;
    this.#lastMs = startMs;
    this.#intervalMs = 1_000 / ratePerSecond;
    this.#endMs = startMs + durationMs;
    this.#count = Math.min(total, this.#shareOf(countDue(durationMs, ratePerSecond)));
  }

  take(nowMs: number, isClientFree: boolean): number | "not due" | "ended" {
    this.#lastMs = nowMs;
    this.#isOver ||= nowMs >= this.#endMs && !isClientFree;
    if (this.#taken >= this.#count || this.#stoppedMs !== undefined || this.#isOver) {
      return "ended";
    }
    const dueMs = this.#nextMs();
    if (dueMs > nowMs) {
      return "not due";
    }
    this.#taken++;
    return dueMs;
  }

  stop(nowMs: number, isClientFree: boolean): void {
    this.#stoppedMs ??= isClientFree ? this.#lastMs : nowMs;
  }

  get unstartedCount(): number {
    const untilMs = Math.min(this.#stoppedMs ?? this.#lastMs, this.#endMs);
    const dueCount = this.#shareOf(Math.ceil((untilMs - this.#startMs) / this.#intervalMs));
    return Math.max(0, Math.min(dueCount, this.#count) - this.#taken);
  }

  get filledUntilMs(): number {
    // The last call reaches to where the next one is due, whoever makes that.
    const { place, of } = this.#share;
    const dueCount = this.#taken === 0 ? 0 : (this.#taken - 1) * of + place + 1;
    return Math.min(this.#startMs + dueCount * this.#intervalMs, this.#endMs, this.#stoppedMs ?? Infinity);
  }

  #nextMs(): number {
    const { place, of } = this.#share;
    return this.#startMs + (this.#taken * of + place) * this.#intervalMs;
  }

  /** Of the first so many calls of all processes. */
  #shareOf(count: number): number {
    const { place, of } = this.#share;
    return Math.max(0, Math.ceil((count - place) / of));
  }
}

/** Calls that are due within a time, its beginning included. What rounding adds to a whole number is no call. */
function countDue(durationMs: number, ratePerSecond: number): number {
  const count = (durationMs * ratePerSecond) / 1_000;
  const whole = Math.round(count);
  return Math.abs(count - whole) < 1e-6 ? whole : Math.ceil(count);
}

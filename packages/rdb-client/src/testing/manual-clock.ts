import type { Clock, Timer } from "@flaredb/rdb-base";

interface PendingTimer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that only passes when a test lets it. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  #timers: PendingTimer[] = [];
  #order = 0;

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  setImmediate(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Lets time pass, timer by timer, with every promise settled in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = this.#takeNext(untilMs);
      if (next === undefined) {
        break;
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
    await settle();
  }

  /** Lets time pass until the promise is settled, and gives what it came to. Fails after `limitMs`. */
  async until<Value>(promise: Promise<Value>, limitMs = 60_000): Promise<Value> {
    let isSettled = false;
    const watched = promise.finally(() => {
      isSettled = true;
    });
    watched.catch(() => {});
    const untilMs = this.#nowMs + limitMs;
    for (;;) {
      await settle();
      if (isSettled) {
        return watched;
      }
      const next = this.#takeNext(untilMs);
      if (next === undefined) {
        throw new Error(`nothing settled the promise within ${limitMs} ms`);
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
  }

  #takeNext(untilMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#timers) {
      const isEarlier =
        next === undefined ||
        timer.atMs < next.atMs ||
        (timer.atMs === next.atMs && timer.order < next.order);
      if (timer.atMs <= untilMs && isEarlier) {
        next = timer;
      }
    }
    this.#timers = this.#timers.filter((timer) => timer !== next);
    return next;
  }
}

/** Every promise that can settle without time passing has. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

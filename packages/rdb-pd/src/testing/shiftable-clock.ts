import { type Clock, SECOND_MS, type Timer, systemClock } from "@flaredb/rdb-base";

/** Timers up to this long follow a shift; longer ones wait for sockets, which no shift makes any faster. */
const FOLLOWING_MAX_MS = 1 * SECOND_MS;

interface FollowingTimer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** The system's clock, which a test sets forward. */
export class ShiftableClock implements Clock {
  #shiftMs = 0;
  readonly #timers = new Set<FollowingTimer>();

  /** Lets time go by in steps of a second. */
  advance(ms: number): void {
    for (let left = ms; left > 0; left -= FOLLOWING_MAX_MS) {
      this.#shiftMs += Math.min(left, FOLLOWING_MAX_MS);
      const now = this.monotonicMs();
      for (const timer of [...this.#timers].filter(({ dueMs }) => dueMs <= now)) {
        timer.fire();
      }
    }
  }

  wallMs(): number {
    return systemClock.wallMs() + this.#shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#shiftMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (delayMs > FOLLOWING_MAX_MS) {
      return systemClock.setTimer(delayMs, callback);
    }
    const cancel = (): void => {
      real.cancel();
      this.#timers.delete(timer);
    };
    const fire = (): void => {
      cancel();
      callback();
    };
    const real = systemClock.setTimer(delayMs, fire);
    const timer: FollowingTimer = { dueMs: this.monotonicMs() + delayMs, fire };
    this.#timers.add(timer);
    return { cancel };
  }

  setImmediate(callback: () => void): void {
    systemClock.setImmediate(callback);
  }
}

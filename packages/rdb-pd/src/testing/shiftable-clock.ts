import { type Clock, systemClock } from "@flaredb/rdb-base";

/** The system's clock, which a test sets forward: timers go by the real one, what is read is shifted. */
export class ShiftableClock implements Clock {
  #shiftMs = 0;

  advance(ms: number): void {
    this.#shiftMs += ms;
  }

  wallMs(): number {
    return systemClock.wallMs() + this.#shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#shiftMs;
  }

  setTimer: Clock["setTimer"] = (delayMs, callback) => systemClock.setTimer(delayMs, callback);
  setImmediate: Clock["setImmediate"] = (callback) => systemClock.setImmediate(callback);
}

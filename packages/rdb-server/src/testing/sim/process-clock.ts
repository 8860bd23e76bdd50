import type { Clock, Timer } from "@flaredb/rdb-base";

export interface ProcessClockOptions {
  /** How fast the monotonic clock runs: 1.1 is 10 % fast. Default 1. */
  readonly rate?: number;
  /** How far the wall clock is off, in ms. Default 0. */
  readonly wallOffsetMs?: number;
}

/**
 * The clock of one process. When the process dies nothing that it asked for happens any more; while it is suspended
 * (SIGSTOP) everything waits, and its clocks go on.
 */
export class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #rate: number;
  #wallOffsetMs: number;
  #state: "running" | "suspended" | "dead" = "running";
  #held: (() => void)[] = [];

  constructor(clock: Clock, options: ProcessClockOptions = {}) {
    this.#clock = clock;
    this.#rate = options.rate ?? 1;
    this.#wallOffsetMs = options.wallOffsetMs ?? 0;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isSuspended(): boolean {
    return this.#state === "suspended";
  }

  wallMs(): number {
    return this.#clock.wallMs() + this.#wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs() * this.#rate;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let isCancelled = false;
    const timer = this.#clock.setTimer(delayMs / this.#rate, () =>
      this.run(() => {
        if (!isCancelled) {
          callback();
        }
      }),
    );
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  setImmediate(callback: () => void): void {
    this.#clock.setImmediate(() => this.run(callback));
  }

  /** Runs something inside the process: now, when it is resumed, or never. */
  run(callback: () => void): void {
    if (this.#state === "running") {
      callback();
    } else if (this.#state === "suspended") {
      this.#held.push(callback);
    }
  }

  /** The wall clock is set, forwards or back. */
  jumpWallMs(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  suspend(): void {
    if (this.#state === "running") {
      this.#state = "suspended";
    }
  }

  /** What was held back happens now, in order. */
  resume(): void {
    if (this.#state !== "suspended") {
      return;
    }
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    for (const callback of held) {
      this.setImmediate(callback);
    }
  }
}

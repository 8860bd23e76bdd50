import type { Clock, Timer } from "@flaredb/rdb-base";

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/** A clock that stands still until told: what was asked of it runs one call at a time, in order. For tests. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #sequence = 0;
  readonly #events = new Set<Event>();

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const event: Event = { atMs: this.#nowMs + delayMs, sequence: this.#sequence++, callback };
    this.#events.add(event);
    return { cancel: () => this.#events.delete(event) };
  }

  setImmediate(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Runs the next call, moving the time to it. False when there was none. */
  runNext(): boolean {
    let next: Event | undefined;
    for (const event of this.#events) {
      if (
        next === undefined ||
        event.atMs < next.atMs ||
        (event.atMs === next.atMs && event.sequence < next.sequence)
      ) {
        next = event;
      }
    }
    if (next === undefined) {
      return false;
    }
    this.#events.delete(next);
    this.#nowMs = next.atMs;
    next.callback();
    return true;
  }

  /** Runs calls until the promise is settled, and passes on its outcome. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    // The rejection reaches the caller through `watched`, below.
    watched.catch(() => {});
    for (;;) {
      // Lets promises settle that wait for nothing but their turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (settled) {
        return watched;
      }
      if (!this.runNext()) {
        throw new Error("the promise waits for something that no clock will bring");
      }
    }
  }

  /** Runs calls until there are none left. */
  runAll(): void {
    while (this.runNext()) {
      // Until nothing is left.
    }
  }
}

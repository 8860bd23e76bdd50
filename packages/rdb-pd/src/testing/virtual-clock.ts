import type { Clock, Timer } from "@flaredb/rdb-base";

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that only passes when a test lets it, timer by timer. */
export class VirtualClock implements Clock {
  #nowMs = 1_000;
  #order = 0;
  readonly #due = new Set<Due>();

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }

  setImmediate(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Lets time pass until `isDone`, and tells how long it took. @throws Error when that is more than `limitMs` */
  async until(isDone: () => boolean, limitMs = 60_000): Promise<number> {
    const startMs = this.#nowMs;
    for (;;) {
      // What promises set off comes before the next timer.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (isDone()) {
        return this.#nowMs - startMs;
      }
      const next = [...this.#due].reduce<Due | undefined>(earlier, undefined);
      if (next === undefined || next.atMs > startMs + limitMs) {
        throw new Error(`it did not come within ${limitMs} ms`);
      }
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    let isOver = false;
    const end = this.setTimer(ms, () => {
      isOver = true;
    });
    await this.until(() => isOver || this.#nowMs >= endMs, ms + 1);
    end.cancel();
  }
}

function earlier(best: Due | undefined, due: Due): Due {
  const isEarlier =
    best === undefined || due.atMs < best.atMs || (due.atMs === best.atMs && due.order < best.order);
  return isEarlier ? due : best;
}

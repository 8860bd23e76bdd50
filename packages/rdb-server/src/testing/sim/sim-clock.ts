import type { Clock, Timer } from "@flaredb/rdb-base";

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  /** Undefined once cancelled. */
  callback: (() => void) | undefined;
}

/** What wall clocks show when virtual time begins: any moment after 1970 will do. */
const WALL_START_MS = 1_700_000_000_000;
/** Events between two turns of the real loop, so that a test's own timeout can still fire. */
const EVENTS_PER_REAL_TURN = 512;

/**
 * Virtual time for a whole cluster. Everything asked of it runs one call at a time, by time and then by order of
 * asking; promises that a call settled run on before the next call. So the same program runs the same way each time.
 */
export class SimClock implements Clock {
  #nowMs = 0;
  #sequence = 0;
  #eventCount = 0;
  /** A binary heap by time and sequence. */
  readonly #heap: Event[] = [];

  /** Calls that were made so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Whole milliseconds, as those of real clocks. */
  wallMs(): number {
    return WALL_START_MS + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#push(event);
    return {
      cancel: () => {
        event.callback = undefined;
      },
    };
  }

  setImmediate(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Lets virtual time pass. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    while ((this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) <= endMs) {
      await this.#runNext();
    }
    this.#nowMs = endMs;
  }

  /**
   * Lets time pass until the condition holds, which is looked at after each event.
   *
   * @returns whether it held within `timeoutMs`
   */
  async runUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const endMs = this.#nowMs + timeoutMs;
    await settled();
    while (!condition()) {
      if ((this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) > endMs) {
        this.#nowMs = endMs;
        return condition();
      }
      await this.#runNext();
    }
    return true;
  }

  /** Lets time pass until the promise is settled, and passes on its outcome. */
  async complete<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
    let isSettled = false;
    const watched = promise.finally(() => {
      isSettled = true;
    });
    // The rejection reaches the caller through `watched`, below.
    watched.catch(() => {});
    if (!(await this.runUntil(() => isSettled, timeoutMs))) {
      throw new Error(`nothing came of it within ${timeoutMs} ms of virtual time`);
    }
    return watched;
  }

  async #runNext(): Promise<void> {
    const event = this.#pop();
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    const { callback } = event;
    if (callback !== undefined) {
      callback();
      await settled();
      if (++this.#eventCount % EVENTS_PER_REAL_TURN === 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!comesFirst(event, heap[parent] as Event)) {
        break;
      }
      heap[place] = heap[parent] as Event;
      place = parent;
    }
    heap[place] = event;
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0] as Event;
    const moved = heap.pop() as Event;
    if (heap.length > 0) {
      let place = 0;
      for (;;) {
        let child = 2 * place + 1;
        if (child >= heap.length) {
          break;
        }
        if (child + 1 < heap.length && comesFirst(heap[child + 1] as Event, heap[child] as Event)) {
          child++;
        }
        if (!comesFirst(heap[child] as Event, moved)) {
          break;
        }
        heap[place] = heap[child] as Event;
        place = child;
      }
      heap[place] = moved;
    }
    return first;
  }
}

function comesFirst(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** Resolves when no promise has anything left to run: the tick queue comes after all of them. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

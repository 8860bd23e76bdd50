import type { Clock, Timer } from "@flaredb/rdb-base";
import type { KvCall } from "./kv-call.ts";

/** Shortest time between two looks at the list. */
const LOOK_MIN_MS = 5;

/**
 * The calls in flight, with one timer for all of them. Adding and removing costs a few assignments; the timer is set
 * to the earliest due time ever seen, and when it fires everything is looked at once. With like deadlines that is
 * once in a deadline's time.
 */
export class DeadlineList {
  readonly #clock: Clock;
  readonly #onDue: (call: KvCall) => void;
  #first: KvCall | undefined;
  #count = 0;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  constructor(clock: Clock, onDue: (call: KvCall) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get count(): number {
    return this.#count;
  }

  add(call: KvCall): void {
    const first = this.#first;
    call.next = first;
    if (first !== undefined) {
      first.previous = call;
    }
    this.#first = call;
    this.#count++;
    this.watch(call.dueMs);
  }

  /** The call is in the list. */
  remove(call: KvCall): void {
    if (call.previous === undefined) {
      this.#first = call.next;
    } else {
      call.previous.next = call.next;
    }
    if (call.next !== undefined) {
      call.next.previous = call.previous;
    }
    call.previous = undefined;
    call.next = undefined;
    this.#count--;
  }

  /** No more calls will be added. */
  stop(): void {
    this.#timer?.cancel();
    this.#timerDueMs = -Infinity;
  }

  /** A call in the list is due then. */
  watch(dueMs: number): void {
    if (dueMs >= this.#timerDueMs) {
      return;
    }
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(LOOK_MIN_MS, dueMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look());
  }

  /** Every call in flight. */
  all(): KvCall[] {
    const calls: KvCall[] = [];
    for (let call = this.#first; call !== undefined; call = call.next) {
      calls.push(call);
    }
    return calls;
  }

  #look(): void {
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
    const nowMs = this.#clock.monotonicMs();
    const due: KvCall[] = [];
    let nextDueMs = Infinity;
    for (let call = this.#first; call !== undefined; call = call.next) {
      if (call.dueMs <= nowMs) {
        due.push(call);
      } else {
        nextDueMs = Math.min(nextDueMs, call.dueMs);
      }
    }
    for (const call of due) {
      this.#onDue(call);
    }
    if (nextDueMs !== Infinity) {
      this.watch(nextDueMs);
    }
  }
}

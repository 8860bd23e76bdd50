import { type Clock, MiB, RdbError, type Timer } from "@flaredb/rdb-base";
import type { KvCall } from "./kv-call.ts";

/** Most calls of one client that are not answered yet. */
const IN_FLIGHT_MAX_COUNT = 100_000;
/** Most bytes of keys and values of those calls; one call is always taken when there are none. */
const IN_FLIGHT_MAX_BYTES = 256 * MiB;
/** Shortest time between two looks at the due times. */
const LOOK_MIN_MS = 5;

/**
 * The calls of one client that have not ended: bounded, and with one timer for all of them. Adding and removing costs
 * a few assignments; the timer is set to the earliest due time ever seen, and when it fires everything is looked at
 * once. With like deadlines that is once in a deadline's time.
 */
export class CallsInFlight {
  readonly #clock: Clock;
  readonly #onDue: (call: KvCall) => void;
  #first: KvCall | undefined;
  #count = 0;
  #bytes = 0;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  constructor(clock: Clock, onDue: (call: KvCall) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Why there is no room for a call; undefined when there is. */
  refusal(name: string, sizeBytes: number): RdbError | undefined {
    const isFull = this.#count >= IN_FLIGHT_MAX_COUNT || this.#bytes + sizeBytes > IN_FLIGHT_MAX_BYTES;
    if (this.#count === 0 || !isFull) {
      return undefined;
    }
    return new RdbError(
      "RDB_SERVER_IS_BUSY",
      `${name}: this client has ${this.#count} calls of ${this.#bytes} bytes in flight; await some before sending ` +
        `more (at most ${IN_FLIGHT_MAX_COUNT} calls, ${IN_FLIGHT_MAX_BYTES} bytes)`,
    );
  }

  add(call: KvCall): void {
    const first = this.#first;
    call.next = first;
    if (first !== undefined) {
      first.previous = call;
    }
    this.#first = call;
    this.#count++;
    this.#bytes += call.spec.sizeBytes;
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
    this.#bytes -= call.spec.sizeBytes;
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

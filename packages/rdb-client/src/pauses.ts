import type { Clock, Random, Timer } from "@flaredb/rdb-base";
import { Backoff, type BackoffReason } from "./backoff.ts";
import type { KvCall } from "./kv-call.ts";

/** News wakes the calls at most this often: peers that contradict each other make news all the time. */
const WAKE_PAUSE_MS = 50;

/** The calls that wait before they try again. News of the map or of a leader ends most pauses early. */
export class Pauses {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onEnd: (call: KvCall) => void;
  readonly #calls = new Set<KvCall>();
  #lastWakeMs = -Infinity;
  #wakeTimer: Timer | undefined;

  constructor(options: { readonly clock: Clock; readonly random: Random }, onEnd: (call: KvCall) => void) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onEnd = onEnd;
  }

  /** @param toldMs the pause that a Store asked for; 0: none */
  begin(call: KvCall, reason: BackoffReason, toldMs: number): void {
    call.backoff ??= new Backoff(this.#random);
    call.state = "waiting";
    call.pauseReason = reason;
    this.#calls.add(call);
    call.timer = this.#clock.setTimer(call.backoff.nextMs(reason, toldMs), () => this.#end(call));
  }

  /** The call is over, whether it pauses or not. */
  forget(call: KvCall): void {
    call.timer?.cancel();
    this.#calls.delete(call);
  }

  /** There is news: whoever waits for the map, a leader or a Store tries now. Who was told to wait waits on. */
  wake(): void {
    if (this.#wakeTimer !== undefined || this.#calls.size === 0) {
      return;
    }
    const waitMs = this.#lastWakeMs + WAKE_PAUSE_MS - this.#clock.monotonicMs();
    if (waitMs > 0) {
      this.#wakeTimer = this.#clock.setTimer(waitMs, () => this.#wakeNow());
    } else {
      this.#wakeNow();
    }
  }

  close(): void {
    this.#wakeTimer?.cancel();
  }

  #wakeNow(): void {
    this.#wakeTimer = undefined;
    this.#lastWakeMs = this.#clock.monotonicMs();
    // A copy: who finds nothing better pauses again.
    for (const call of [...this.#calls]) {
      if (call.pauseReason !== "busy" && call.state === "waiting") {
        this.#end(call);
      }
    }
  }

  #end(call: KvCall): void {
    this.forget(call);
    call.tried.length = 0;
    call.redirectCount = 0;
    this.#onEnd(call);
  }
}

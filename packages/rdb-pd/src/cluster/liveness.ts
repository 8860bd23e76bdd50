import type { StoreId } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";

/** How a Store that is not a tombstone does: Disconnected may come back soon, Down is to be replaced. */
export type LivenessState = "Up" | "Disconnected" | "Down";

/**
 * Who was heard of when, on the monotonic clock; what the keepalives say, and they alone (DESIGN §8). Only that a Store
 * is Up does its stream's end refute, until the next keepalive: whoever dies ends it, seconds before its silence shows,
 * and nothing should be led there, or sent there, meanwhile.
 * A PD that just started knows nothing yet: no Store is Up, but none is taken for dead either.
 */
export class Liveness {
  /** Since when this process has been listening: its start, or the end of its last stall. */
  #listeningMonotonicMs: number;
  #pulseMonotonicMs: number;
  readonly #startedMonotonicMs: number;
  readonly #heardMonotonicMs = new Map<StoreId, number>();
  readonly #hungUp = new Set<StoreId>();
  readonly #downAfterMs: () => number;

  /** @param downAfterMs a Store that is silent for longer is Down: its peers are to be replaced; may change */
  constructor(startedMonotonicMs: number, downAfterMs: () => number) {
    this.#downAfterMs = downAfterMs;
    this.#startedMonotonicMs = startedMonotonicMs;
    this.#listeningMonotonicMs = startedMonotonicMs;
    this.#pulseMonotonicMs = startedMonotonicMs;
  }

  /** PD is awake; called every second. A stopped process hears nobody, so Stores get their time anew after it. */
  pulse(monotonicMs: number): void {
    if (this.#isStalled(monotonicMs)) {
      this.#listeningMonotonicMs = monotonicMs;
    }
    this.#pulseMonotonicMs = monotonicMs;
  }

  heard(id: StoreId, monotonicMs: number): void {
    this.#heardMonotonicMs.set(id, monotonicMs);
    this.#hungUp.delete(id);
  }

  /** The stream of its keepalives ended, and there is no newer one. */
  hungUp(id: StoreId): void {
    this.#hungUp.add(id);
  }

  state(id: StoreId, monotonicMs: number): LivenessState {
    const heard = this.#heardMonotonicMs.get(id);
    const silentMs = monotonicMs - (heard ?? this.#startedMonotonicMs);
    const isSilent = silentMs > pdLimits.storeDisconnectedAfterMs || this.#hungUp.has(id);
    if (heard !== undefined && !isSilent) {
      return "Up";
    }
    const since = Math.max(heard ?? this.#startedMonotonicMs, this.#listeningMonotonicMs);
    const isDown = monotonicMs - since > this.#downAfterMs() && !this.#isStalled(monotonicMs);
    return isDown ? "Down" : "Disconnected";
  }

  /** Whether its silence is long enough that its address may be given to another Store. */
  isSilent(id: StoreId, monotonicMs: number): boolean {
    const heard = Math.max(this.#heardMonotonicMs.get(id) ?? 0, this.#listeningMonotonicMs);
    return monotonicMs - heard > pdLimits.storeDisconnectedAfterMs && !this.#isStalled(monotonicMs);
  }

  /** What waits in the sockets after a stall may be worked on before the first pulse. */
  #isStalled(monotonicMs: number): boolean {
    return monotonicMs - this.#pulseMonotonicMs > pdLimits.stalledAfterMs;
  }
}

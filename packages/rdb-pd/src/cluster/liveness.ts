import type { StoreId } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";

/** How a Store that is not a tombstone does: Disconnected may come back soon, Down is to be replaced. */
export type LivenessState = "Up" | "Disconnected" | "Down";

/**
 * Who was heard of when, on the monotonic clock; what the keepalives say, and they alone (DESIGN §8).
 * A PD that just started knows nothing yet: no Store is Up, but none is taken for dead either.
 */
export class Liveness {
  readonly #startedMonotonicMs: number;
  readonly #heardMonotonicMs = new Map<StoreId, number>();

  constructor(startedMonotonicMs: number) {
    this.#startedMonotonicMs = startedMonotonicMs;
  }

  heard(id: StoreId, monotonicMs: number): void {
    this.#heardMonotonicMs.set(id, monotonicMs);
  }

  state(id: StoreId, monotonicMs: number): LivenessState {
    const heard = this.#heardMonotonicMs.get(id);
    const silentMs = monotonicMs - (heard ?? this.#startedMonotonicMs);
    if (heard !== undefined && silentMs <= pdLimits.storeDisconnectedAfterMs) {
      return "Up";
    }
    return silentMs > pdLimits.storeDownAfterMs ? "Down" : "Disconnected";
  }

  /** Whether its silence is long enough that its address may be given to another Store. */
  isSilent(id: StoreId, monotonicMs: number): boolean {
    const heard = this.#heardMonotonicMs.get(id) ?? this.#startedMonotonicMs;
    return monotonicMs - heard > pdLimits.storeDisconnectedAfterMs;
  }
}

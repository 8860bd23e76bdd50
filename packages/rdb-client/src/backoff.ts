import type { Random } from "@flaredb/rdb-base";

/** Why a call waits before it tries again. */
export type BackoffReason =
  /** The map was wrong, or the Region has no leader right now. */
  | "regionMiss"
  /** A Store does not answer. */
  | "rpc"
  /** No placement driver answers. */
  | "pd"
  /** A Store, or this client's queue to it, is at a limit. */
  | "busy";

/** Shortest and longest pause for each reason; it doubles from one to the other. */
export const backoffMs: Readonly<Record<BackoffReason, { readonly minMs: number; readonly maxMs: number }>> =
  {
    regionMiss: { minMs: 2, maxMs: 500 },
    rpc: { minMs: 100, maxMs: 2_000 },
    pd: { minMs: 500, maxMs: 3_000 },
    busy: { minMs: 50, maxMs: 2_000 },
  };

/** A Store that names its own pause gets at most this much. */
const TOLD_MAX_MS = 10_000;

/** The pauses of one call, which end with its deadline. Each reason counts for itself. */
export class Backoff {
  readonly #random: Random;
  readonly #counts: Partial<Record<BackoffReason, number>> = {};

  constructor(random: Random) {
    this.#random = random;
  }

  /** How often a reason made the call wait. */
  count(reason: BackoffReason): number {
    return this.#counts[reason] ?? 0;
  }

  /**
   * The next pause, drawn from the upper half of the reason's span so that callers do not come back together.
   *
   * @param toldMs the pause that the Store asked for; it is drawn from there to half as much more
   */
  nextMs(reason: BackoffReason, toldMs = 0): number {
    const count = this.count(reason);
    this.#counts[reason] = count + 1;
    if (toldMs > 0) {
      return Math.min(TOLD_MAX_MS, toldMs) * (1 + this.#random.nextFraction() / 2);
    }
    const { minMs, maxMs } = backoffMs[reason];
    const spanMs = Math.min(maxMs, minMs * 2 ** Math.min(count, 20));
    return Math.max(minMs, spanMs * (0.5 + this.#random.nextFraction() / 2));
  }
}

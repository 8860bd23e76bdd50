import type { Clock, RegionId, Timer } from "@flaredb/rdb-base";
import type { SnapshotChunkReader } from "@flaredb/rdb-storage";
import type { IncomingSnapshot } from "../store/ports.ts";

/** What is here of a snapshot that came in part: its chunks, checked, and where it goes on. */
export interface PartialSnapshot {
  readonly regionId: RegionId;
  readonly origin: string;
  readonly checker: SnapshotChunkReader;
  readonly file: IncomingSnapshot;
}

interface Kept {
  readonly partial: PartialSnapshot;
  readonly timer: Timer;
}

/** Transfers whose streams broke, for as long as their senders may go on with them. One for each Region. */
export class KeptTransfers {
  readonly #clock: Clock;
  readonly #limits: { readonly maxCount: number; readonly maxAgeMs: number };
  /** Oldest first. */
  readonly #kept = new Map<RegionId, Kept>();

  constructor(clock: Clock, limits: { readonly maxCount: number; readonly maxAgeMs: number }) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Past `maxCount` the oldest is let go. */
  async keep(partial: PartialSnapshot): Promise<void> {
    const { regionId } = partial;
    const timer = this.#clock.setTimer(this.#limits.maxAgeMs, () => void this.drop(regionId));
    const before = this.#kept.get(regionId);
    this.#kept.set(regionId, { partial, timer });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#limits.maxCount && oldest !== undefined) {
      await this.drop(oldest);
    }
    await this.#discard(before);
  }

  /** Where the transfer goes on; 0 when nothing is kept of it. */
  nextChunk(regionId: RegionId, origin: string): number {
    const partial = this.#kept.get(regionId)?.partial;
    return partial?.origin === origin ? partial.checker.nextIndex : 0;
  }

  /** What is kept of just this transfer, to go on with. What is kept of the Region's other ones is let go. */
  async take(regionId: RegionId, origin: string): Promise<PartialSnapshot | undefined> {
    const kept = this.#kept.get(regionId);
    if (kept?.partial.origin !== origin) {
      await this.drop(regionId);
      return undefined;
    }
    kept.timer.cancel();
    this.#kept.delete(regionId);
    return kept.partial;
  }

  async drop(regionId: RegionId): Promise<void> {
    const kept = this.#kept.get(regionId);
    this.#kept.delete(regionId);
    await this.#discard(kept);
  }

  async close(): Promise<void> {
    for (const regionId of [...this.#kept.keys()]) {
      await this.drop(regionId);
    }
  }

  async #discard(kept: Kept | undefined): Promise<void> {
    kept?.timer.cancel();
    await kept?.partial.file.discard();
  }
}

import type { Logger } from "@flaredb/rdb-base";

/** How often the free space is looked up. */
const CHECK_INTERVAL_MS = 1_000;
/** For so long a Store whose disk became full hands its leaderships over. */
const HAND_OVER_MS = 5_000;

/** Whether the disk is so full that the Store takes no writes (DESIGN §3). */
export class DiskSpace {
  /** With less than this left the disk counts as full; 0: never. May change: it counts from the next look. */
  fullDiskBytes: number;
  readonly #freeBytes: () => Promise<number>;
  readonly #logger: Logger;
  #nextCheckMs = 0;
  #checking = false;
  #isFull = false;
  #becameFullMs = Number.NEGATIVE_INFINITY;

  constructor(freeBytes: () => Promise<number>, fullDiskBytes: number, logger: Logger) {
    this.#freeBytes = freeBytes;
    this.fullDiskBytes = fullDiskBytes;
    this.#logger = logger;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Whether the disk became full a moment ago: another Store may take the writes that this one refuses. Not for as long
   * as it is full, since where all disks are they would hand the leaderships around.
   */
  hasJustFilled(nowMs: number): boolean {
    return this.#isFull && nowMs - this.#becameFullMs < HAND_OVER_MS;
  }

  tick(nowMs: number): void {
    if (this.#checking || nowMs < this.#nextCheckMs) {
      return;
    }
    this.#nextCheckMs = nowMs + CHECK_INTERVAL_MS;
    this.#checking = true;
    this.refresh(nowMs)
      .catch((error: unknown) =>
        this.#logger.warn({ error: String(error) }, "the free disk space cannot be read"),
      )
      .finally(() => {
        this.#checking = false;
      });
  }

  async refresh(nowMs: number): Promise<void> {
    const freeBytes = await this.#freeBytes();
    const isFull = freeBytes < this.fullDiskBytes;
    if (isFull === this.#isFull) {
      return;
    }
    this.#isFull = isFull;
    this.#becameFullMs = nowMs;
    this.#logger.warn(
      { freeBytes, fullDiskBytes: this.fullDiskBytes },
      isFull ? "the disk is full: leaderships are handed over" : "the disk has room again",
    );
  }
}

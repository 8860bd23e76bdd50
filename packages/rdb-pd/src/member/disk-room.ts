import { pdLimits } from "../limits.ts";

/** For so long a member that leads on a full disk tries to hand over, */
const HAND_OVER_MS = 5_000;
/** and again after so long: where the disks of all are full, they would hand leadership around all the time. */
const REST_MS = 60_000;

/** Whether there is room left for what a leader writes. Pure. */
export class DiskRoom {
  #isFull = false;
  #triedSinceMs = Number.NEGATIVE_INFINITY;

  /** As observed last: less was free than `pdLimits.fullDiskBytes`. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** @returns whether the member is to hand leadership over, since another one may have room */
  observe(freeBytes: number, leads: boolean, nowMs: number): boolean {
    this.#isFull = freeBytes < pdLimits.fullDiskBytes;
    if (!this.#isFull || !leads) {
      return false;
    }
    if (nowMs - this.#triedSinceMs >= REST_MS) {
      this.#triedSinceMs = nowMs;
    }
    return nowMs - this.#triedSinceMs < HAND_OVER_MS;
  }
}

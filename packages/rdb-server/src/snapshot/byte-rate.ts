import type { Clock } from "@flaredb/rdb-base";

/** What was not used lately may be made up for: this much time's worth. */
const BURST_MS = 100;

/**
 * A Store's bandwidth for one direction of snapshots, shared by all transfers: whoever asks waits until what was asked
 * for before is paid, so that each gets its turn, whatever the sizes.
 */
export class ByteRate {
  readonly #clock: Clock;
  #msPerByte = 0;
  /** When everything that was asked for so far is paid. */
  #paidMs = Number.NEGATIVE_INFINITY;

  /** @param bytesPerSecond 0: no limit */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** May change at any time: for what is asked for from then on. 0: no limit. */
  set bytesPerSecond(bytesPerSecond: number) {
    this.#msPerByte = bytesPerSecond === 0 ? 0 : 1_000 / bytesPerSecond;
  }

  /** Resolves when the bytes may go, in the order of the calls. */
  take(bytes: number): Promise<void> {
    if (this.#msPerByte === 0) {
      return Promise.resolve();
    }
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(this.#paidMs, nowMs - BURST_MS);
    this.#paidMs = startMs + bytes * this.#msPerByte;
    return startMs <= nowMs
      ? Promise.resolve()
      : new Promise((resolve) => this.#clock.setTimer(startMs - nowMs, resolve));
  }
}

import { SECOND_MS } from "@flaredb/rdb-base";

/** What a Region is asked for, each as a rate a second. */
export interface RegionLoad {
  readonly writtenBytesPerSecond: number;
  readonly writtenKeysPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly readKeysPerSecond: number;
}

/** Counts since the peer started. */
export interface LoadCounts {
  readonly writtenBytes: number;
  readonly writtenKeys: number;
  readonly readBytes: number;
  readonly readKeys: number;
}

const NO_LOAD: RegionLoad = {
  writtenBytesPerSecond: 0,
  writtenKeysPerSecond: 0,
  readBytesPerSecond: 0,
  readKeysPerSecond: 0,
};
const MEASURE_INTERVAL_MS = SECOND_MS;
/** Of the newest measurement in what is told: what was is forgotten within some seconds. */
const NEWEST_PART = 0.5;

/** Makes rates of counts that only rise, by an average that follows within seconds. Looks once a second. */
export class LoadMeter {
  #last: LoadCounts | undefined;
  #lastMs = 0;
  #load = NO_LOAD;

  get load(): RegionLoad {
    return this.#load;
  }

  tick(nowMs: number, counts: () => LoadCounts): void {
    const elapsedMs = nowMs - this.#lastMs;
    if (this.#last !== undefined && elapsedMs < MEASURE_INTERVAL_MS) {
      return;
    }
    const now = counts();
    const last = this.#last;
    this.#last = now;
    this.#lastMs = nowMs;
    if (last === undefined) {
      return;
    }
    const { load } = this;
    // A snapshot sets counts anew: what jumps back counts as nothing.
    const rate = (name: keyof LoadCounts, before: number): number =>
      before + NEWEST_PART * ((Math.max(0, now[name] - last[name]) * SECOND_MS) / elapsedMs - before);
    this.#load = {
      writtenBytesPerSecond: rate("writtenBytes", load.writtenBytesPerSecond),
      writtenKeysPerSecond: rate("writtenKeys", load.writtenKeysPerSecond),
      readBytesPerSecond: rate("readBytes", load.readBytesPerSecond),
      readKeysPerSecond: rate("readKeys", load.readKeysPerSecond),
    };
  }
}

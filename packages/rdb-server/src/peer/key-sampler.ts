import { type KeyRange, SECOND_MS, compareKeys, keyInRange, keysEqual } from "@flaredb/rdb-base";
import type { KvRequest } from "@flaredb/rdb-proto";
import { keyAt, keyCount } from "./request-keys.ts";

/** Keys of the last seconds that are remembered. */
const SAMPLE_MAX_COUNT = 256;
/** About so many are taken each second. */
const SAMPLES_PER_SECOND = 100;
/** With fewer, chance would decide where to cut. */
const SAMPLE_MIN_COUNT = 100;
/** A part of the load that each side of a cut must have at least. */
const SIDE_MIN_PART = 0.25;
/** A key with so much of the load stays hot wherever the Region is cut: that is not worth another Region. */
const KEY_MAX_PART = 0.5;
/** Of a linear congruential generator (Numerical Recipes): cheap, and the same on every run. */
const JITTER_FACTOR = 1_664_525;
const JITTER_STEP = 1_013_904_223;

/**
 * Follows which keys of a Region are asked for: how many a second, and a few of them. On the hot path it counts down.
 */
export class KeySampler {
  #samples: Uint8Array[] = [];
  #next = 0;
  #stride = 1;
  #countdown = 1;
  #count = 0;
  #countAtSecond = 0;
  #secondMs = Number.NEGATIVE_INFINITY;
  #hotSinceMs: number | undefined;
  #jitter = 1;

  /** A request of the Region came. */
  take(command: KvRequest["command"]): void {
    const count = keyCount(command);
    this.#count += count;
    this.#countdown -= count;
    if (this.#countdown <= 0) {
      this.#countdown = this.#nextDistance();
      // The request's bytes are part of a larger message.
      this.#samples[this.#next++ % SAMPLE_MAX_COUNT] = keyAt(command, this.#next % count).slice();
    }
  }

  /** @returns for how long more than `hotPerSecond` keys a second were asked for, in ms; 0: now it is not so */
  tick(nowMs: number, hotPerSecond: number): number {
    const elapsedMs = nowMs - this.#secondMs;
    if (elapsedMs >= SECOND_MS) {
      const perSecond = ((this.#count - this.#countAtSecond) * SECOND_MS) / elapsedMs;
      this.#secondMs = nowMs;
      this.#countAtSecond = this.#count;
      this.#stride = Math.max(1, Math.floor(perSecond / SAMPLES_PER_SECOND));
      this.#hotSinceMs = perSecond > hotPerSecond ? (this.#hotSinceMs ?? nowMs - elapsedMs) : undefined;
    }
    return this.#hotSinceMs === undefined ? 0 : nowMs - this.#hotSinceMs;
  }

  /** Uneven, around the stride: what comes in turns would always be met at the same turn otherwise. */
  #nextDistance(): number {
    this.#jitter = (Math.imul(this.#jitter, JITTER_FACTOR) + JITTER_STEP) >>> 0;
    return 1 + ((this.#jitter >>> 8) % (2 * this.#stride - 1));
  }

  /** The Region's range is another one: what was asked of the old one says little. */
  forget(): void {
    this.#samples = [];
    this.#next = 0;
    this.#hotSinceMs = undefined;
  }

  /** Where to cut so that each side gets its part of the load; undefined when no cut does. */
  splitKey(range: KeyRange): Uint8Array | undefined {
    return balancingKey(
      this.#samples.filter((key) => keyInRange(key, range)),
      range,
    );
  }
}

/** The sample at which the others are cut most evenly, if evenly enough. */
export function balancingKey(samples: readonly Uint8Array[], range: KeyRange): Uint8Array | undefined {
  if (samples.length < SAMPLE_MIN_COUNT) {
    return undefined;
  }
  const sorted = samples.toSorted(compareKeys);
  let best: { readonly key: Uint8Array; readonly smaller: number } | undefined;
  for (let place = 0; place < sorted.length; ) {
    const key = sorted[place] as Uint8Array;
    const end = sorted.findIndex((other, at) => at > place && !keysEqual(other, key));
    const after = end === -1 ? sorted.length : end;
    if (after - place >= sorted.length * KEY_MAX_PART) {
      return undefined;
    }
    const smaller = Math.min(place, sorted.length - place);
    if (compareKeys(key, range.startKey) > 0 && (best === undefined || smaller > best.smaller)) {
      best = { key, smaller };
    }
    place = after;
  }
  return best !== undefined && best.smaller >= sorted.length * SIDE_MIN_PART ? best.key : undefined;
}

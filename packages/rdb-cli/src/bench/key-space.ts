import { type KeyRange, type Random, prefixRange } from "@flaredb/rdb-base";
import { ZipfSampler } from "./zipf.ts";

/** What every key of `rdb bench` begins with: they lie together, apart from others'. */
export const KEY_PREFIX = "bench/";

/** Whatever lies between these is the benchmark's. */
export const benchRange: KeyRange = prefixRange(Buffer.from(KEY_PREFIX));

/** What decides which keys and values are used. */
export interface KeySpaceOptions {
  readonly keySizeBytes: number;
  readonly valueSizeBytes: number;
  readonly keys: number;
  readonly zipf: number | undefined;
}

const DIGIT_ZERO = 0x30;
const VALUES_MAX_COUNT = 256;
const VALUES_MAX_BYTES = 16 * 1024 * 1024;

/** The keys and values of a benchmark. Keys are the prefix and a decimal number; values are random bytes. */
export class KeySpace {
  readonly keys: number;
  readonly #template: Uint8Array;
  readonly #drawId: () => number;
  readonly #values: readonly Uint8Array[];
  #nextValue = 0;

  constructor(options: KeySpaceOptions, random: Random) {
    this.keys = options.keys;
    this.#template = new Uint8Array(options.keySizeBytes).fill(DIGIT_ZERO);
    this.#template.set(Buffer.from(KEY_PREFIX));
    this.#drawId = idDrawer(options, random);
    this.#values = makeValues(options.valueSizeBytes, random);
  }

  /** The id of a key, 0 to `keys` - 1, as likely as the distribution says. */
  drawId(): number {
    return this.#drawId();
  }

  /** A fresh array, which the caller may hand to a call. */
  key(id: number): Uint8Array {
    const key = this.#template.slice();
    for (let at = key.length - 1, rest = id; rest > 0; at--) {
      const next = Math.floor(rest / 10);
      key[at] = DIGIT_ZERO + (rest - next * 10);
      rest = next;
    }
    return key;
  }

  drawKey(): Uint8Array {
    return this.key(this.#drawId());
  }

  /** One of some values that were made before; not to be changed. */
  nextValue(): Uint8Array {
    this.#nextValue = (this.#nextValue + 1) % this.#values.length;
    return this.#values[this.#nextValue] as Uint8Array;
  }

  /** Ids of `count` different keys: neighbours of a drawn one, as rows that are read together often are. */
  drawRun(count: number): number {
    return Math.min(this.#drawId(), Math.max(0, this.keys - count));
  }
}

function idDrawer({ keys, zipf }: KeySpaceOptions, random: Random): () => number {
  if (zipf === undefined) {
    return () => Math.floor(random.nextFraction() * keys);
  }
  const sampler = new ZipfSampler(keys, zipf, random);
  // The most used keys shall not be neighbours, or one Region would have them all.
  const step = scatterStep(keys);
  if (keys * step <= Number.MAX_SAFE_INTEGER) {
    return () => ((sampler.next() - 1) * step) % keys;
  }
  return () => Number((BigInt(sampler.next() - 1) * BigInt(step)) % BigInt(keys));
}

/** A number near the golden section of `keys` that has no divisor in common with it: its multiples visit every id. */
function scatterStep(keys: number): number {
  let step = Math.max(1, Math.floor(keys * 0.618_033_988_749_895));
  while (greatestCommonDivisor(step, keys) !== 1) {
    step++;
  }
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function makeValues(sizeBytes: number, random: Random): Uint8Array[] {
  const count = Math.max(
    1,
    Math.min(VALUES_MAX_COUNT, Math.floor(VALUES_MAX_BYTES / Math.max(1, sizeBytes))),
  );
  return Array.from({ length: count }, () => {
    const value = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at++) {
      value[at] = random.nextInt(256);
    }
    return value;
  });
}

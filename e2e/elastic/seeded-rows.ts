const SEQUENCE_DIGITS = 9;
const PREFIX_DIGITS = 8;

/**
 * Rows that follow from a seed and their number alone: what was written can be told again without keeping it. Keys lie
 * evenly over the key space, in no order, so that every Region takes its part of the writes.
 */
export class SeededRows {
  readonly #seed: number;
  readonly valueBytes: number;

  /** @param valueBytes a multiple of 4 */
  constructor(seed: number, valueBytes: number) {
    this.#seed = seed;
    this.valueBytes = valueBytes;
  }

  /** `9e3779b1-000000001`: a hash of the sequence, and the sequence. */
  key(sequence: number): string {
    const prefix = mix(sequence ^ this.#seed)
      .toString(16)
      .padStart(PREFIX_DIGITS, "0");
    return `${prefix}-${sequence.toString().padStart(SEQUENCE_DIGITS, "0")}`;
  }

  /** The number of the row with this key. */
  sequenceOf(key: string): number {
    return Number(key.slice(PREFIX_DIGITS + 1));
  }

  value(sequence: number): Uint8Array {
    const words = new Uint32Array(this.valueBytes / 4);
    let state = mix(sequence + this.#seed) | 1;
    for (let at = 0; at < words.length; at++) {
      // xorshift32: cheap, and incompressible enough that disks and snapshots carry what is said.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    return new Uint8Array(words.buffer);
  }
}

/** A bijection of 32-bit numbers that scatters neighbours. */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

// Hashes of 52 bits, so that two of them add up to a safe integer. Not against adversaries: against accidents.

const MODULUS = 2 ** 52;
const LOW_BITS = 2 ** 32;
const HIGH_MASK = 0xfffff;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const OTHER_PRIME = 0x85ebca6b;

/** Of nothing: where sums and sequences begin. */
export const EMPTY_HASH = 0;

/** Of byte strings, one after the other; where one ends counts. */
export function hashOf(...parts: readonly Uint8Array[]): number {
  let low = FNV_OFFSET;
  let high = OTHER_PRIME;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      const byte = part[i] as number;
      low = Math.imul(low ^ byte, FNV_PRIME);
      high = Math.imul(high + byte, OTHER_PRIME) ^ (high >>> 15);
    }
    low = Math.imul(low ^ part.length, FNV_PRIME);
    high = Math.imul(high + part.length, OTHER_PRIME) ^ (high >>> 13);
  }
  return join(high, low);
}

/** Of a sequence that goes on with `next`. */
export function appended(sequence: number, next: number): number {
  const [high, low] = [Math.floor(sequence / LOW_BITS), sequence >>> 0];
  const [nextHigh, nextLow] = [Math.floor(next / LOW_BITS), next >>> 0];
  const newLow = Math.imul(low ^ nextLow, FNV_PRIME) ^ Math.imul(high + 1, OTHER_PRIME);
  const newHigh = Math.imul(high ^ nextHigh, OTHER_PRIME) + Math.imul(nextLow ^ low, FNV_PRIME);
  return join(newHigh ^ (newHigh >>> 15), newLow ^ (newLow >>> 13));
}

/** Of a set that gets one more element. */
export function withElement(set: number, element: number): number {
  return (set + element) % MODULUS;
}

/** Of a set that loses an element. */
export function withoutElement(set: number, element: number): number {
  return (set - element + MODULUS) % MODULUS;
}

function join(high: number, low: number): number {
  return (high & HIGH_MASK) * LOW_BITS + (low >>> 0);
}

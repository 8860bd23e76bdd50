import { type KeyRange, assert } from "@flaredb/rdb-base";

/** A key whose characters are its bytes: as the key of a Map, and ordered as the bytes are. */
export type KeyText = string;

// The native method works on any byte array; going through Buffer.from would make one more object a key.
const latin1Slice = Buffer.prototype.latin1Slice;

export function keyText(key: Uint8Array): KeyText {
  return latin1Slice.call(key, 0, key.length);
}

export function keyOfText(text: KeyText): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** A range over {@link KeyText}; `end` undefined has no end. */
export interface TextRange {
  readonly start: KeyText;
  readonly end: KeyText | undefined;
}

export function textRange(range: KeyRange): TextRange {
  return {
    start: keyText(range.startKey),
    end: range.endKey.length === 0 ? undefined : keyText(range.endKey),
  };
}

export function inTextRange(key: KeyText, range: TextRange): boolean {
  return key >= range.start && (range.end === undefined || key < range.end);
}

/** Orders key texts as their keys are ordered. */
export function byCodeUnits(a: KeyText, b: KeyText): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first position of sorted `keys` that is not below `start`. */
export function lowerBound(keys: readonly KeyText[], start: KeyText): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = keys[middle];
    assert(key !== undefined, "the middle lies inside the array");
    if (key < start) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

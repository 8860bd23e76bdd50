/** Half open: `startKey` is inside, `endKey` is not. Empty `startKey` is the lowest key; empty `endKey` has no end. */
export interface KeyRange {
  readonly startKey: Uint8Array;
  readonly endKey: Uint8Array;
}

export const EMPTY_KEY: Uint8Array = new Uint8Array(0);

/** The whole key space. */
export const FULL_RANGE: KeyRange = { startKey: EMPTY_KEY, endKey: EMPTY_KEY };

/** Orders keys byte by byte, unsigned; a prefix comes first. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) {
      return difference;
    }
  }
  return a.length - b.length;
}

export function keysEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareKeys(a, b) === 0;
}

/** Orders end keys, where empty means no end and so is the greatest. */
export function compareEndKeys(a: Uint8Array, b: Uint8Array): number {
  if (a.length === 0 || b.length === 0) {
    return a.length === b.length ? 0 : a.length === 0 ? 1 : -1;
  }
  return compareKeys(a, b);
}

export function keyInRange(key: Uint8Array, range: KeyRange): boolean {
  return (
    compareKeys(key, range.startKey) >= 0 && (range.endKey.length === 0 || compareKeys(key, range.endKey) < 0)
  );
}

export function rangesOverlap(a: KeyRange, b: KeyRange): boolean {
  return (
    (b.endKey.length === 0 || compareKeys(a.startKey, b.endKey) < 0) &&
    (a.endKey.length === 0 || compareKeys(b.startKey, a.endKey) < 0)
  );
}

/** Whether every key of `inner` lies in `outer`. */
export function rangeContains(outer: KeyRange, inner: KeyRange): boolean {
  return compareKeys(inner.startKey, outer.startKey) >= 0 && compareEndKeys(inner.endKey, outer.endKey) <= 0;
}

/** The keys in both, or undefined when there are none. */
export function intersectRanges(a: KeyRange, b: KeyRange): KeyRange | undefined {
  if (!rangesOverlap(a, b)) {
    return undefined;
  }
  return {
    startKey: compareKeys(a.startKey, b.startKey) >= 0 ? a.startKey : b.startKey,
    endKey: compareEndKeys(a.endKey, b.endKey) <= 0 ? a.endKey : b.endKey,
  };
}

/** What of `range` lies outside `other`: nothing, one part or two. */
export function rangesOutside(range: KeyRange, other: KeyRange): readonly KeyRange[] {
  const inside = intersectRanges(range, other);
  if (inside === undefined) {
    return [range];
  }
  const before = { startKey: range.startKey, endKey: inside.startKey };
  const after = { startKey: inside.endKey, endKey: range.endKey };
  return [
    ...(compareKeys(before.startKey, before.endKey) < 0 ? [before] : []),
    ...(compareEndKeys(after.startKey, after.endKey) < 0 ? [after] : []),
  ];
}

/** The range of the keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] as number;
    if (byte < 0xff) {
      // A copy: `slice` of a Buffer is none, and the caller's prefix would become its own end.
      const endKey = new Uint8Array(prefix.subarray(0, i + 1));
      endKey[i] = byte + 1;
      return { startKey: prefix, endKey };
    }
  }
  return { startKey: prefix, endKey: EMPTY_KEY };
}

/** The lowest key above `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** A key as people read it: printable ASCII as it is, the rest as \xNN. */
export function formatKey(key: Uint8Array): string {
  let text = "";
  for (const byte of key) {
    const printable = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    text += printable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** A range as people read it: `["", "m")`. */
export function formatRange(range: KeyRange): string {
  return `["${formatKey(range.startKey)}", "${formatKey(range.endKey)}")`;
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EMPTY_KEY,
  FULL_RANGE,
  type KeyRange,
  compareEndKeys,
  compareKeys,
  formatKey,
  formatRange,
  intersectRanges,
  keyAfter,
  keyInRange,
  keysEqual,
  prefixRange,
  rangeContains,
  rangesOutside,
  rangesOverlap,
} from "./key-range.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const range = (start: string, end: string): KeyRange => ({ startKey: bytes(start), endKey: bytes(end) });

// Short keys over few bytes, the extreme ones among them: they meet often.
const anyKey = fc
  .array(fc.constantFrom(0x00, 0x01, 0x61, 0xfe, 0xff), { maxLength: 3 })
  .map((values) => Uint8Array.from(values));
const anyRange = fc
  .tuple(anyKey, anyKey)
  .filter(([startKey, endKey]) => endKey.length === 0 || compareKeys(startKey, endKey) < 0)
  .map(([startKey, endKey]): KeyRange => ({ startKey, endKey }));

describe("keys", () => {
  test("are ordered byte by byte, unsigned, a prefix first", () => {
    expect(compareKeys(bytes("a"), bytes("b"))).toBeLessThan(0);
    expect(compareKeys(bytes("a"), bytes("aa"))).toBeLessThan(0);
    expect(compareKeys(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0);
    expect(compareKeys(bytes("a"), bytes("a"))).toBe(0);
  });

  test("are ordered as Buffer orders them", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(a, b));
        expect(keysEqual(a, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  test("have nothing between them and the key after", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (key, other) => {
        const after = keyAfter(key);
        expect(compareKeys(key, after)).toBeLessThan(0);
        expect(compareKeys(key, other) < 0).toBe(compareKeys(after, other) <= 0);
      }),
    );
  });

  test("as an end, the empty one is the greatest", () => {
    expect(compareEndKeys(EMPTY_KEY, bytes("z"))).toBeGreaterThan(0);
    expect(compareEndKeys(bytes("z"), EMPTY_KEY)).toBeLessThan(0);
    expect(compareEndKeys(EMPTY_KEY, EMPTY_KEY)).toBe(0);
    expect(compareEndKeys(bytes("a"), bytes("b"))).toBeLessThan(0);
  });

  test("are shown with what is not printable, and the backslash, as \\xNN", () => {
    expect(formatKey(bytes("a b~"))).toBe("a b~");
    expect(formatKey(Uint8Array.of(0x00, 0x5c, 0x7f, 0xff))).toBe("\\x00\\x5c\\x7f\\xff");
    expect(formatRange(range("", "m"))).toBe('["", "m")');
  });
});

describe("ranges", () => {
  test("hold their start and not their end; an empty end is none", () => {
    expect(keyInRange(bytes("a"), range("a", "b"))).toBe(true);
    expect(keyInRange(bytes("b"), range("a", "b"))).toBe(false);
    expect(keyInRange(bytes("zzz"), range("a", ""))).toBe(true);
    expect(keyInRange(EMPTY_KEY, FULL_RANGE)).toBe(true);
  });

  test("overlap exactly when some key is in both, and that is their intersection", () => {
    fc.assert(
      fc.property(anyRange, anyRange, anyKey, (a, b, key) => {
        const both = intersectRanges(a, b);
        expect(both !== undefined).toBe(rangesOverlap(a, b));
        expect(both !== undefined && keyInRange(key, both)).toBe(keyInRange(key, a) && keyInRange(key, b));
        expect(rangesOverlap(a, b)).toBe(rangesOverlap(b, a));
      }),
    );
  });

  test("outside another hold exactly the keys that are not in both", () => {
    fc.assert(
      fc.property(anyRange, anyRange, anyKey, (a, b, key) => {
        const outside = rangesOutside(a, b).filter((part) => keyInRange(key, part));
        expect(outside).toHaveLength(keyInRange(key, a) && !keyInRange(key, b) ? 1 : 0);
      }),
    );
  });

  test("contain another when no key of it is outside", () => {
    fc.assert(
      fc.property(anyRange, anyRange, anyKey, (outer, inner, key) => {
        if (rangeContains(outer, inner) && keyInRange(key, inner)) {
          expect(keyInRange(key, outer)).toBe(true);
        }
        expect(rangeContains(outer, inner)).toBe(
          compareKeys(inner.startKey, outer.startKey) >= 0 && compareEndKeys(inner.endKey, outer.endKey) <= 0,
        );
      }),
    );
    expect(rangeContains(range("a", "c"), range("b", ""))).toBe(false);
  });

  test("of a prefix hold the keys that begin with it, and no other", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (prefix, key) => {
        const begins = keysEqual(key.subarray(0, prefix.length), prefix);
        expect(keyInRange(key, prefixRange(prefix))).toBe(begins);
      }),
    );
    expect(prefixRange(Uint8Array.of(0xff, 0xff)).endKey).toHaveLength(0);
    // A Buffer's slice shares its memory: the end must not be written into the caller's prefix.
    const prefix = Buffer.from("city/");
    expect(formatRange(prefixRange(prefix))).toBe('["city/", "city0")');
    expect(prefix.toString()).toBe("city/");
  });
});

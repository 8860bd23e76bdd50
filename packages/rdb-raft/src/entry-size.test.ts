import { index, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { countWithinBytes, entriesSizeBytes, entrySizeBytes, payloadsSizeBytes } from "./entry-size.ts";
import type { Entry } from "./messages.ts";

const entry = (at: number, ofTerm: number, bytes: number): Entry => ({
  index: index(at),
  term: term(ofTerm),
  type: "Normal",
  data: new Uint8Array(bytes),
});

describe("the size of an entry", () => {
  // Type 2 bytes; term and index a tag and a varint each; data, unless empty, a tag, its length and itself.
  it.each([
    { at: 1, ofTerm: 1, bytes: 0, size: 6 },
    { at: 127, ofTerm: 127, bytes: 1, size: 9 },
    { at: 128, ofTerm: 127, bytes: 127, size: 136 },
    { at: 16_384, ofTerm: 128, bytes: 128, size: 140 },
    { at: Number.MAX_SAFE_INTEGER, ofTerm: 1, bytes: 0, size: 13 },
  ])("of index $at, term $ofTerm and $bytes bytes is $size", ({ at, ofTerm, bytes, size }) => {
    expect(entrySizeBytes(entry(at, ofTerm, bytes))).toBe(size);
  });

  it("adds up, with or without what is not payload", () => {
    const entries = [entry(1, 1, 10), entry(2, 1, 20)];
    expect(entriesSizeBytes(entries)).toBe(6 + 2 + 10 + 6 + 2 + 20);
    expect(payloadsSizeBytes(entries)).toBe(30);
  });

  it("limits a batch, of at least one", () => {
    const entries = [entry(1, 1, 0), entry(2, 1, 0), entry(3, 1, 0)];
    expect([0, 6, 11, 12, 18, 99].map((bytes) => countWithinBytes(entries, bytes))).toEqual([
      1, 1, 1, 2, 3, 3,
    ]);
    expect(countWithinBytes(entries, 99, 1, 2)).toBe(1);
    expect(countWithinBytes(entries, 99, 2, 2)).toBe(0);
    expect(countWithinBytes([], 99)).toBe(0);
  });
});

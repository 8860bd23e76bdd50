import type { KeyRange } from "@flaredb/rdb-base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, text } from "../testing/index.ts";
import { gapsBetween } from "./sweep-orphans.ts";

const range = (startKey: string, endKey: string): KeyRange => ({
  startKey: bytes(startKey),
  endKey: bytes(endKey),
});

const gaps = (...ranges: readonly KeyRange[]): string[] =>
  gapsBetween(ranges).map(({ startKey, endKey }) => `${text(startKey)}-${text(endKey)}`);

test("what no Region has is left: before, between and behind them", () => {
  expect(gaps()).toEqual(["-"]);
  expect(gaps(range("", ""))).toEqual([]);
  expect(gaps(range("m", ""), range("", "m"))).toEqual([]);
  expect(gaps(range("d", "f"), range("b", "c"))).toEqual(["-b", "c-d", "f-"]);
  // A halted peer may share keys with a newer one.
  expect(gaps(range("b", "m"), range("c", "d"), range("m", "n"))).toEqual(["-b", "n-"]);
});

test("a key is in a gap just when it is in no range", () => {
  const letter = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const anyRange = fc
    .tuple(fc.option(letter, { nil: "" }), fc.option(letter, { nil: "" }))
    .filter(([from, to]) => to === "" || from < to);
  const holds = (from: string, to: string, key: string): boolean => from <= key && (to === "" || key < to);
  fc.assert(
    fc.property(fc.array(anyRange, { maxLength: 6 }), (ranges) => {
      const found = gapsBetween(ranges.map(([from, to]) => range(from, to)));
      for (const key of ["", "a", "b", "c", "d", "e", "f", "g"]) {
        const isHeld = ranges.some(([from, to]) => holds(from, to, key));
        const inGaps = found.filter((gap) => holds(text(gap.startKey), text(gap.endKey), key));
        expect(inGaps).toHaveLength(isHeld ? 0 : 1);
      }
    }),
  );
});

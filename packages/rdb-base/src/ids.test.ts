import { expect, test } from "vitest";
import { peerId, regionId, safeInteger } from "./ids.ts";

test("numbers of the wire become safe integers", () => {
  expect(regionId(7n)).toBe(7);
  expect(peerId(BigInt(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  expect(safeInteger(0, "index")).toBe(0);
});

test.each([-1, 1.5, Number.NaN, 2 ** 53, 2n ** 53n, -1n])(
  "%s is refused, with what it was meant to be",
  (value) => {
    expect(() => safeInteger(value, "term")).toThrow(
      `term ${value} must be an integer from 0 to 9007199254740991`,
    );
  },
);

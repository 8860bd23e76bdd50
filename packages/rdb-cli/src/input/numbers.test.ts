import { expect, test } from "vitest";
import { parseDurationMs, parseInteger } from "./numbers.ts";

test("whole numbers in their bounds are taken", () => {
  expect(parseInteger("limit", "10", 1, 10)).toBe(10);
  expect(parseInteger("id", "9007199254740991", 1, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
});

test.each(["-1", "0", "11", "1.5", "1e1", "0x1", "", " 1", "ten"])(
  "limit %j is refused with its bounds",
  (text) => {
    expect(() => parseInteger("limit", text, 1, 10)).toThrow(
      `limit ${text} must be a whole number from 1 to 10`,
    );
  },
);

test.each([
  ["500ms", 500],
  ["5s", 5_000],
  ["5", 5_000],
  ["1.5s", 1_500],
  ["10m", 600_000],
])("time %s is %d ms", (text, durationMs) => {
  expect(parseDurationMs("timeout", text)).toBe(durationMs);
});

test.each(["0", "-1s", "11m", "5h", "s", ""])("time %j is refused with the limit", (text) => {
  expect(() => parseDurationMs("timeout", text)).toThrow(/timeout .* must be a time such as .*, at most 10m/);
});

import { expect, test } from "vitest";
import { columnsOf } from "./io.ts";

test("a terminal that does not say how wide it is, is as wide as most are; what is none has no width", () => {
  expect(columnsOf({ isTTY: true, columns: 132 })).toBe(132);
  expect(columnsOf({ isTTY: true, columns: 0 })).toBe(80);
  expect(columnsOf({ isTTY: true })).toBe(80);
  expect(columnsOf({ columns: 132 })).toBeUndefined();
});

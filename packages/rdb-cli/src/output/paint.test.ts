import { expect, test } from "vitest";
import { painter, wantsColors } from "./paint.ts";

test("colours are for terminals alone, and NO_COLOR takes them away", () => {
  expect(wantsColors(true, { TERM: "xterm" })).toBe(true);
  expect(wantsColors(false, { TERM: "xterm" })).toBe(false);
  expect(wantsColors(true, { TERM: "dumb" })).toBe(false);
  expect(wantsColors(true, { NO_COLOR: "1" })).toBe(false);
  expect(wantsColors(true, { NO_COLOR: "" })).toBe(true);
});

test("a style is begun and ended; nothing and no style are left alone", () => {
  const paint = painter(true);
  expect(paint("down", "bad")).toBe("\u001b[31mdown\u001b[39m");
  expect(paint("", "bad")).toBe("");
  expect(paint("up", undefined)).toBe("up");
  expect(painter(false)("down", "bad")).toBe("down");
});

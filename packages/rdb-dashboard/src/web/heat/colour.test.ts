import { describe, expect, test } from "vitest";
import { type Colour, colourAt, heatShare, rampOf } from "./colour.ts";

const brightness = ([red, green, blue]: Colour): number => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

describe("the colour scale", () => {
  test.for([
    [true, "lighter"],
    [false, "darker"],
  ] as const)("of the dark theme (%s) gets %s with the heat all the way", ([isDark]) => {
    const shades = Array.from({ length: 50 }, (_, at) => brightness(colourAt(rampOf(isDark), at / 49)));
    for (const [at, shade] of shades.entries()) {
      const before = shades[at - 1];
      expect(before === undefined || (isDark ? shade > before : shade < before)).toBe(true);
    }
  });

  test("ends where its ramp does, and holds what lies outside", () => {
    const ramp = rampOf(true);
    expect(colourAt(ramp, 0)).toEqual(ramp[0]);
    expect(colourAt(ramp, 1)).toEqual(ramp.at(-1));
    expect([colourAt(ramp, -1), colourAt(ramp, 2)]).toEqual([ramp[0], ramp.at(-1)]);
  });
});

test("nothing is cold, the most is hot, and a hundredth of it is still warm", () => {
  expect([heatShare(0, 1_000), heatShare(1_000, 1_000), heatShare(5, 0)]).toEqual([0, 1, 0]);
  expect(heatShare(10, 1_000)).toBeGreaterThan(0.3);
});

import { describe, expect, test } from "vitest";
import type { HeatMap } from "../api/gen/types.ts";
import { cellAt, hottest, keyTicks, movedCell, partOf, spanOf, timeTicks } from "./layout.ts";

const map: HeatMap = {
  kind: "writtenKeys",
  columns: [
    { startMs: 0, endMs: 60_000 },
    { startMs: 60_000, endMs: 120_000 },
  ],
  edges: [
    { key: "", keyHex: "" },
    { key: "m", keyHex: "6d" },
    { key: "", keyHex: "" },
  ],
  values: [
    [1, 2],
    [3, 40],
  ],
};
const box = { left: 100, top: 10, width: 200, height: 100 };

describe("the heat map's layout", () => {
  test("a point is in its cell, and outside in none", () => {
    expect(cellAt(map, box, 101, 11)).toEqual({ column: 0, bucket: 0 });
    expect(cellAt(map, box, 299, 109)).toEqual({ column: 1, bucket: 1 });
    expect(cellAt(map, box, 99, 50)).toBeUndefined();
    expect(cellAt(map, box, 150, 111)).toBeUndefined();
  });

  test("keys move the cell, and stop at the ends", () => {
    expect(movedCell(map, { column: 0, bucket: 0 }, 1, 1)).toEqual({ column: 1, bucket: 1 });
    expect(movedCell(map, { column: 1, bucket: 0 }, 5, -3)).toEqual({ column: 1, bucket: 0 });
  });

  test("a selection is the same from whichever corner it was drawn", () => {
    const a = { column: 1, bucket: 0 };
    const b = { column: 0, bucket: 1 };
    expect(spanOf(a, b)).toEqual(spanOf(b, a));
    expect(partOf(map, a, b)).toEqual({ from: 0, to: 120_000, startKeyHex: "", endKeyHex: "" });
    expect(partOf(map, b, b)).toEqual({ from: 0, to: 60_000, startKeyHex: "6d", endKeyHex: "" });
    expect(partOf(map, a, { column: 9, bucket: 0 })).toBeUndefined();
  });

  test("labels stand at edges, as many as fit", () => {
    expect(keyTicks(map, box, 20)).toEqual([
      { at: 10, text: "−∞" },
      { at: 60, text: "m" },
    ]);
    expect(keyTicks(map, box, 80)).toHaveLength(1);
    expect(timeTicks(map, box, 90, String)).toEqual([
      { at: 100, text: "0" },
      { at: 200, text: "60000" },
    ]);
  });

  test("the hottest is the greatest of all", () => {
    expect([hottest(map), hottest({ values: [] })]).toEqual([40, 0]);
  });
});

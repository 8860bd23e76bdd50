import { expect, test } from "vitest";
import { LaneRows } from "./lane-rows.ts";

/** A lane with so many rows, all acknowledged, and what is read of it. */
function laneOf(count: number): { readonly rows: LaneRows; readonly found: Map<string, string> } {
  const rows = new LaneRows("b/");
  const found = new Map<string, string>();
  for (let at = 0; at < count; at++) {
    const { place, key, value } = rows.begin();
    rows.acknowledged(place);
    found.set(key, value);
  }
  return { rows, found };
}

test("what was acknowledged has to be there, with its value", () => {
  const { rows, found } = laneOf(3);
  expect(rows.problems(found)).toEqual([]);
  found.delete("b/000000000");
  found.set("b/000000002", "other");
  expect(rows.problems(found)).toEqual(["b/000000000 is missing", "b/000000002 has another value"]);
});

test("what was given up may be there or not", () => {
  const rows = new LaneRows("b/");
  const { place, key, value } = rows.begin();
  rows.gaveUp(place);
  expect(rows.problems(new Map())).toEqual([]);
  expect(rows.problems(new Map([[key, value]]))).toEqual([]);
});

test("of many rows the older ones are due, and must not be found again once they are deleted", () => {
  expect(laneOf(16_000).rows.duePlace).toBeUndefined();
  const { rows, found } = laneOf(16_001);
  const due = rows.duePlace as number;
  expect(due).toBe(8_001);
  const older = new Map([...found].filter(([key]) => key < rows.keyAt(due)));
  expect(rows.problems(older, due)).toEqual([]);
  rows.deletedBefore(due);
  expect(rows.duePlace).toBeUndefined();
  expect(rows.problems(found).slice(0, 1)).toEqual(["b/000000000 is there again, after it was deleted"]);
  older.forEach((_, key) => found.delete(key));
  expect(rows.problems(found)).toEqual([]);
  expect(rows.acknowledgedCount).toBe(16_001);
});

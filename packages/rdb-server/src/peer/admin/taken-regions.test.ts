import { type RegionId, regionId } from "@flaredb/rdb-base";
import { TAKEN_MAX_COUNT } from "@flaredb/rdb-storage";
import { expect, test } from "vitest";
import { joinTaken } from "./taken-regions.ts";

const ids = (first: number, count: number) =>
  Array.from({ length: count }, (_, place) => regionId(first + place));

test("all are named, each side's in its order, the source last", () => {
  expect(joinTaken(ids(1, 2), ids(11, 4), regionId(99))).toEqual([11, 12, 13, 1, 14, 2, 99]);
  expect(joinTaken([], [], regionId(99))).toEqual([99]);
  expect(joinTaken(ids(1, 3), [], regionId(99))).toEqual([1, 2, 3, 99]);
});

test("what the target took just before stays, however many the source took", () => {
  const kept = joinTaken(ids(1, 1), ids(1_000, TAKEN_MAX_COUNT), regionId(99)).slice(-TAKEN_MAX_COUNT);
  expect(kept.slice(-3)).toEqual([1_000 + TAKEN_MAX_COUNT - 1, 1, 99]);
});

test("each is named once, where it was taken last", () => {
  expect(joinTaken(ids(1, 3), ids(2, 3), regionId(99))).toEqual([1, 2, 4, 3, 99]);
});

test("a Region that is split and merged again and again names the sources of all merges", () => {
  const children = ids(1, 20);
  // A child begins with a copy of the list.
  const taken = children.reduce<readonly RegionId[]>((list, child) => joinTaken(list, list, child), []);
  expect(taken).toEqual(children);
});

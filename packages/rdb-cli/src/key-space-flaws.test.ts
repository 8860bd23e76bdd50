import type { RegionRoute } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { keySpaceFlaws } from "./key-space-flaws.ts";

const decode = (key: Uint8Array): string => new TextDecoder().decode(key);

/** Regions of ranges, numbered from 1. */
function flawsOf(...ranges: (readonly [start: string, end: string])[]) {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const routes = ranges.map(([start, end], at) => ({
    region: { id: BigInt(at + 1), startKey: encode(start), endKey: encode(end) },
  }));
  return keySpaceFlaws(routes as unknown as RegionRoute[]).map((flaw) => [
    flaw.kind,
    ...[decode(flaw.startKey), decode(flaw.endKey), flaw.leftRegionId, flaw.rightRegionId],
  ]);
}

test("Regions that tile the key space have no flaw", () => {
  expect(flawsOf(["", ""])).toEqual([]);
  expect(flawsOf(["", "g"], ["g", "t"], ["t", ""])).toEqual([]);
});

test("a hole is found at the beginning, between and at the end", () => {
  expect(flawsOf(["b", "g"], ["m", "t"])).toEqual([
    ["hole", "", "b", undefined, 1n],
    ["hole", "g", "m", 1n, 2n],
    ["hole", "t", "", 2n, undefined],
  ]);
  expect(flawsOf()).toEqual([["hole", "", "", undefined, undefined]]);
});

test("an overlap is found, also within a Region and behind the last key", () => {
  expect(flawsOf(["", "m"], ["c", "d"], ["m", ""])).toEqual([["overlap", "c", "m", 1n, 2n]]);
  expect(flawsOf(["", ""], ["m", ""])).toEqual([["overlap", "m", "", 1n, 2n]]);
});

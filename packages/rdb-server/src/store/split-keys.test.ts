import { FULL_RANGE, type KeyRange, compareKeys } from "@flaredb/rdb-base";
import { WritePart, encodeValue } from "@flaredb/rdb-storage";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimClock, bytes, text, testEngine } from "../testing/index.ts";
import { type WalkedRange, evenSplitKeys, walkRange } from "./split-keys.ts";

const PATIENCE_MS = 10_000;

async function walk(
  rows: readonly (readonly [key: string, valueBytes: number])[],
  range: KeyRange = FULL_RANGE,
  isOver = () => false,
): Promise<WalkedRange | undefined> {
  const clock = new SimClock();
  const engine = testEngine(clock);
  const part = new WritePart();
  for (const [key, valueBytes] of rows) {
    part.put("data", bytes(key), encodeValue(1, new Uint8Array(valueBytes)));
  }
  engine.submit(part);
  return clock.complete(walkRange(engine, range, isOver), PATIENCE_MS);
}

function named(place: number): string {
  return `key${String(place).padStart(5, "0")}`;
}

describe("walkRange", () => {
  it("counts rows and their bytes, and offers every key but the first of few rows", async () => {
    const walked = await walk([
      ["a", 3],
      ["b", 4],
      ["c", 5],
    ]);
    expect(walked).toMatchObject({ bytes: 15, keys: 3 });
    expect(walked?.marks.map(({ key, bytesBefore }) => [text(key), bytesBefore])).toEqual([
      ["b", 4],
      ["c", 9],
    ]);
  });

  it("keeps to its range, and to a bounded number of keys of a large one", async () => {
    const rows = Array.from({ length: 10_000 }, (_, place) => [named(place), 10] as const);
    const walked = await walk(rows, { startKey: bytes(named(100)), endKey: bytes(named(9_100)) });
    expect(walked?.keys).toBe(9_000);
    expect(walked?.marks.length).toBeLessThanOrEqual(1_024);
    const keys = evenSplitKeys(walked as WalkedRange, 3).map(text);
    expect(Math.abs(Number(keys[0]?.slice(3)) - 3_100)).toBeLessThan(20);
    expect(Math.abs(Number(keys[1]?.slice(3)) - 6_100)).toBeLessThan(20);
  });

  it("ends when nobody wants to know any more", async () => {
    expect(await walk([["a", 1]], FULL_RANGE, () => true)).toBeUndefined();
  });
});

describe("evenSplitKeys", () => {
  it("finds nothing to cut in no key or one", () => {
    expect(evenSplitKeys({ bytes: 0, keys: 0, marks: [] }, 2)).toEqual([]);
  });

  it("cuts at the middle by size, not by count", async () => {
    const walked = await walk([
      ["a", 10],
      ["b", 10],
      ["c", 10],
      ["d", 1_000],
      ["e", 1_000],
    ]);
    expect(evenSplitKeys(walked as WalkedRange, 2).map(text)).toEqual(["e"]);
  });

  it("gives rising keys, fewer than parts, whatever the sizes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 2, max: 20 }),
        (sizes, partCount) => {
          let before = sizes[0] as number;
          const marks = sizes.slice(1).map((size, place) => {
            const mark = { key: bytes(named(place + 1)), bytesBefore: before };
            before += size;
            return mark;
          });
          const keys = evenSplitKeys({ bytes: before, keys: sizes.length, marks }, partCount);
          expect(keys.length).toBeLessThan(partCount);
          expect(keys.length).toBeGreaterThanOrEqual(Math.min(1, marks.length));
          expect(keys).toEqual([...new Set(keys)].toSorted(compareKeys));
        },
      ),
    );
  });
});

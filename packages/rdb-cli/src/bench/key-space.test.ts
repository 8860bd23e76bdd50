import { SeededRandom, compareKeys, keyInRange } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { KeySpace, type KeySpaceOptions, benchRange } from "./key-space.ts";

function space(options: Partial<KeySpaceOptions> = {}): KeySpace {
  return new KeySpace(
    { keySizeBytes: 16, valueSizeBytes: 256, keys: 1_000, zipf: undefined, ...options },
    new SeededRandom(1),
  );
}

describe("KeySpace", () => {
  test("keys have the size that was asked for, the prefix, and the order of their ids", () => {
    const keys = space({ keys: 1e10 });
    expect(Buffer.from(keys.key(0)).toString()).toBe("bench/0000000000");
    expect(Buffer.from(keys.key(1_234_567_890)).toString()).toBe("bench/1234567890");
    expect(Buffer.from(keys.key(1e10 - 1)).toString()).toBe("bench/9999999999");
    expect(compareKeys(keys.key(99), keys.key(100))).toBeLessThan(0);
    expect(keyInRange(keys.key(1e10 - 1), benchRange)).toBe(true);
  });

  test("uniform keys come from the whole key space", () => {
    const keys = space({ keys: 10 });
    const seen = new Set(Array.from({ length: 500 }, () => Buffer.from(keys.drawKey()).toString()));
    expect(seen.size).toBe(10);
  });

  test.each([10, 1_000, 1e9])("the most used of %d zipf keys are not neighbours", (count) => {
    const keys = space({ keys: count, zipf: 2 });
    const uses = new Map<number, number>();
    for (let draw = 0; draw < 2_000; draw++) {
      const id = keys.drawId();
      expect(id >= 0 && id < count).toBe(true);
      uses.set(id, (uses.get(id) ?? 0) + 1);
    }
    const [first, second] = [...uses].toSorted(([, a], [, b]) => b - a).map(([id]) => id);
    expect(first).toBe(0);
    expect(Math.abs((second as number) - (first as number))).toBeGreaterThan(count / 4);
  });

  test("every zipf rank has a key of its own", () => {
    const keys = space({ keys: 12, zipf: 0.01 });
    expect(new Set(Array.from({ length: 2_000 }, () => keys.drawId())).size).toBe(12);
  });

  test("values have the size that was asked for, and differ", () => {
    const values = space({ valueSizeBytes: 100 });
    const [one, other] = [values.nextValue(), values.nextValue()];
    expect(one).toHaveLength(100);
    expect(Buffer.from(one).equals(Buffer.from(other))).toBe(false);
    expect(space({ valueSizeBytes: 0 }).nextValue()).toHaveLength(0);
  });

  test("a run of keys ends within the key space", () => {
    const keys = space({ keys: 10 });
    const starts = Array.from({ length: 100 }, () => keys.drawRun(8));
    expect(Math.max(...starts)).toBe(2);
    expect(keys.drawRun(1_000)).toBe(0);
  });
});

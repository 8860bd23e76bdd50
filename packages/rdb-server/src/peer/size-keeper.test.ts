import { MiB } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { ManualClock } from "@flaredb/rdb-storage/testing";
import { testEngine } from "../testing/test-engine.ts";
import { SizeKeeper } from "./size-keeper.ts";

/** A keeper of a Region that was counted to so many bytes; `added` is what puts added since. */
function counted(bytes: number) {
  let addedBytes = 0;
  const keeper = new SizeKeeper({
    engine: testEngine(new ManualClock()),
    region: () => undefined,
    addedBytes: () => addedBytes,
  });
  keeper.beginCount()({ bytes, keys: 1 });
  return {
    keeper,
    wantsCountAfter(added: number): boolean {
      addedBytes = added;
      return keeper.wantsCount;
    },
    mayHaveReachedAfter(added: number, limitBytes: number): boolean {
      addedBytes = added;
      return keeper.mayHaveReached(limitBytes);
    },
  };
}

describe("a Region's size", () => {
  it("is what was counted and what puts added since", () => {
    const { keeper, wantsCountAfter } = counted(5 * MiB);
    wantsCountAfter(3 * MiB);
    expect(keeper.bytes).toBe(8 * MiB);
  });

  it("may have reached a limit when it was counted to it, or when an eighth of it was put since", () => {
    expect(counted(96 * MiB).mayHaveReachedAfter(0, 96 * MiB)).toBe(true);
    const nearly = counted(95 * MiB);
    expect(nearly.mayHaveReachedAfter(12 * MiB - 1, 96 * MiB)).toBe(false);
    expect(nearly.mayHaveReachedAfter(12 * MiB, 96 * MiB)).toBe(true);
    expect(counted(10 * MiB).mayHaveReachedAfter(85 * MiB, 96 * MiB)).toBe(false);
    expect(counted(10 * MiB).mayHaveReachedAfter(86 * MiB, 96 * MiB)).toBe(true);
  });

  it.each([
    { what: "small", sizeBytes: 1 * MiB, enoughBytes: 16 * MiB },
    { what: "middling", sizeBytes: 20 * MiB, enoughBytes: 40 * MiB },
    { what: "large", sizeBytes: 90 * MiB, enoughBytes: 64 * MiB },
  ])("is counted again, when $what, after so much was put", ({ sizeBytes, enoughBytes }) => {
    const { wantsCountAfter } = counted(sizeBytes);
    expect(wantsCountAfter(enoughBytes - 1)).toBe(false);
    expect(wantsCountAfter(enoughBytes)).toBe(true);
  });
});

import { RdbError, formatRange } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { key } from "../testing/regions.ts";
import { checkInitialRanges, rangesFromSplitKeys } from "./initial-regions.ts";

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    expect((error as RdbError).code).toBe("RDB_CONFIG_INVALID");
    return (error as RdbError).message;
  }
  throw new Error("was not refused");
}

function ranges(...texts: readonly string[]) {
  return texts.map((text) => {
    const [start = "", end = ""] = text.split("-");
    return { startKey: key(start), endKey: key(end) };
  });
}

describe("split keys", () => {
  test.each([
    [[], ['["", "")']],
    [["m"], ['["", "m")', '["m", "")']],
    [
      ["d", "m", "mm"],
      ['["", "d")', '["d", "m")', '["m", "mm")', '["mm", "")'],
    ],
  ])("SPEC-M1: %j cut the key space into %j", (keys, expected) => {
    expect(rangesFromSplitKeys(keys.map(key)).map(formatRange)).toEqual(expected);
  });

  test("SPEC-M5: unsorted keys stop it, naming both Regions", () => {
    expect(refusal(() => rangesFromSplitKeys(["t", "m"].map(key)))).toBe(
      'initial regions: split keys "t" and "m" are not in order: region 2 ["t", "m") and region 3 ["m", "") would not be in order',
    );
  });

  test("SPEC-M5: a key that is twice there stops it, naming both Regions", () => {
    expect(refusal(() => rangesFromSplitKeys(["b", "m", "m"].map(key)))).toBe(
      'initial regions: split keys "m" and "m" are twice there: region 3 ["m", "m") and region 4 ["m", "") would begin at the same key',
    );
  });

  test.each([
    ["", "split key 1 must not be empty"],
    ["x".repeat(4097), "has 4097 bytes, keyMaxBytes is 4096"],
  ])("SPEC-M5: a bad key stops it", (text, message) => {
    expect(refusal(() => rangesFromSplitKeys([key(text)]))).toContain(message);
  });
});

describe("explicit ranges", () => {
  test("SPEC-M5: what tiles the key space in order is taken", () => {
    const given = ranges("-d", "d-m", "m-");
    expect(checkInitialRanges(given)).toEqual(given);
  });

  test.each([
    [["-m", "d-"], 'region 1 ["", "m") and region 2 ["d", "") overlap'],
    [["-", "m-"], 'region 1 ["", "") and region 2 ["m", "") overlap'],
    [["-d", "m-"], 'nothing holds the keys between region 1 ["", "d") and region 2 ["m", "")'],
    [["-d", "m-", "d-m"], 'nothing holds the keys between region 1 ["", "d") and region 2 ["m", "")'],
    [["m-", "-m"], 'region 1 ["m", "") and region 2 ["", "m") are not in the order of their start keys'],
    [["-m", "-m"], 'region 1 ["", "m") and region 2 ["", "m") overlap'],
    [["-m", "m-d", "d-"], 'region 2 ["m", "d") holds no key'],
    [["c-m", "m-"], 'nothing holds the keys before region 1 ["c", "m")'],
    [["-m", "m-t"], 'nothing holds the keys from the end of region 2 ["m", "t") on'],
    [[], `0 regions must be 1 to ${pdLimits.initialRegionMaxCount}`],
  ])("SPEC-M5: %j is refused: %s", (texts, message) => {
    expect(refusal(() => checkInitialRanges(ranges(...texts)))).toContain(message);
  });
});

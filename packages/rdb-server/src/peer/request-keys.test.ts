import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { type KvCommand, bytes, kvCommand, scanCommand, text } from "../testing/index.ts";
import { keyOutsideRegion } from "./request-keys.ts";

const region: Region = {
  id: regionId(1),
  startKey: bytes("c"),
  endKey: bytes("m"),
  epoch: { confVer: 1, version: 1 },
  peers: [{ id: peerId(1), storeId: storeId(1), role: "Voter" }],
};
const last: Region = { ...region, startKey: bytes("m"), endKey: bytes("") };

function outside(command: KvCommand, within = region): string | undefined {
  const key = keyOutsideRegion(command, within);
  return key && text(key);
}

const put = (key: string): KvCommand => kvCommand({ case: "put", value: { key: bytes(key) } });
const deleteRange = (startKey: string, endKey: string): KvCommand =>
  kvCommand({ case: "deleteRange", value: { startKey: bytes(startKey), endKey: bytes(endKey) } });
const rows = (...keys: string[]): KvCommand =>
  kvCommand({ case: "batchPut", value: { rows: keys.map((key) => ({ key: bytes(key) })) } });

describe("keyOutsideRegion (SPEC-M3)", () => {
  it("takes the start of the range and not its end", () => {
    expect(outside(put("c"))).toBeUndefined();
    expect(outside(put("lzz"))).toBeUndefined();
    expect(outside(put("m"))).toBe("m");
    expect(outside(put("bzz"))).toBe("bzz");
    expect(outside(put("zzz"), last)).toBeUndefined();
  });

  it("names the first key of a batch that is outside", () => {
    expect(outside(rows("d", "e"))).toBeUndefined();
    expect(outside(rows("d", "z", "a"))).toBe("z");
    expect(outside(kvCommand({ case: "batchGet", value: { keys: ["d", "a"].map(bytes) } }))).toBe("a");
    expect(outside(kvCommand({ case: "batchDelete", value: { keys: ["d", "a"].map(bytes) } }))).toBe("a");
  });

  it("looks at conditions and mutations of a conditional batch", () => {
    const batch = (condition: string, putKey: string, deleteKey: string): KvCommand =>
      kvCommand({
        case: "conditionalBatch",
        value: {
          conditions: [{ key: bytes(condition), version: 1n }],
          mutations: [
            { operation: { case: "put", value: { key: bytes(putKey) } } },
            { operation: { case: "delete", value: bytes(deleteKey) } },
          ],
        },
      });
    expect(outside(batch("d", "e", "f"))).toBeUndefined();
    expect(outside(batch("z", "e", "f"))).toBe("z");
    expect(outside(batch("d", "z", "f"))).toBe("z");
    expect(outside(batch("d", "e", "z"))).toBe("z");
  });

  it("wants a deleteRange whole inside", () => {
    expect(outside(deleteRange("c", "m"))).toBeUndefined();
    expect(outside(deleteRange("b", "d"))).toBe("b");
    expect(outside(deleteRange("d", "n"))).toBe("n");
    // Without an end: everything behind, which only the last Region has.
    expect(outside(deleteRange("d", ""))).toBe("");
    expect(outside(deleteRange("n", ""), last)).toBeUndefined();
  });

  it("wants a scan to touch the Region only", () => {
    expect(outside(scanCommand("a", "d"))).toBeUndefined();
    expect(outside(scanCommand("l", "z"))).toBeUndefined();
    expect(outside(scanCommand("", ""))).toBeUndefined();
    expect(outside(scanCommand("m", "z"))).toBe("m");
    expect(outside(scanCommand("a", "c"))).toBe("c");
  });

  it("has nothing to say about a command that is not there", () => {
    expect(keyOutsideRegion({ case: undefined }, region)).toBeUndefined();
  });
});

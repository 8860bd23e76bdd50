import { type Region, SeededRandom, index, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { MemoryEngine } from "./memory-engine.ts";
import {
  type MergeRecord,
  TAKEN_MAX_COUNT,
  decodeMergeRecord,
  deleteMergeRecord,
  deleteTakenRegions,
  encodeMergeRecord,
  getMergeRecord,
  getTakenRegions,
  putMergeRecord,
  putTakenRegions,
} from "./merge-record.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

const region: Region = {
  id: regionId(7),
  startKey: Uint8Array.of(1),
  endKey: new Uint8Array(0),
  epoch: { confVer: 3, version: 9 },
  peers: [{ id: peerId(21), storeId: storeId(2), role: "Voter" }],
};
const prepared: MergeRecord = {
  kind: "Prepared",
  target: region,
  minMatchedIndex: index(11),
  prepareIndex: index(13),
};
const merged: MergeRecord = { kind: "Merged", into: region };
const corrupt = expect.objectContaining({ code: "RDB_DATA_CORRUPT" });

function memoryEngine(): MemoryEngine {
  return new MemoryEngine({
    clock: new ManualClock(),
    random: new SeededRandom(1),
    onFatal: (error) => {
      throw error;
    },
  });
}

describe("merge record", () => {
  it("reads back what was written, and refuses what is cut short or of another format", () => {
    for (const record of [prepared, merged]) {
      const row = encodeMergeRecord(record);
      expect(decodeMergeRecord(row)).toEqual(record);
      for (let length = 0; length < row.length; length++) {
        expect(() => decodeMergeRecord(row.subarray(0, length))).toThrow(corrupt);
      }
      expect(() => decodeMergeRecord(Uint8Array.of(99, ...row.subarray(1)))).toThrow(corrupt);
      expect(() => decodeMergeRecord(Uint8Array.of(1, 2, ...row.subarray(2)))).toThrow(corrupt);
    }
  });

  it("is one for each source, until it is deleted", () => {
    const engine = memoryEngine();
    const part = new WritePart();
    putMergeRecord(part, regionId(5), prepared);
    engine.submit(part);
    expect(getMergeRecord(engine, regionId(5))).toEqual(prepared);
    expect(getMergeRecord(engine, regionId(6))).toBeUndefined();
    const gone = new WritePart();
    deleteMergeRecord(gone, regionId(5));
    engine.submit(gone);
    expect(getMergeRecord(engine, regionId(5))).toBeUndefined();
  });
});

describe("taken Regions", () => {
  it("keeps the latest of them, no more than the limit", () => {
    const engine = memoryEngine();
    const ids = Array.from({ length: TAKEN_MAX_COUNT + 3 }, (_, place) => regionId(place + 1));
    const part = new WritePart();
    putTakenRegions(part, regionId(900), ids);
    engine.submit(part);
    expect(getTakenRegions(engine, regionId(900))).toEqual(ids.slice(3));
    const gone = new WritePart();
    deleteTakenRegions(gone, regionId(900));
    engine.submit(gone);
    expect(getTakenRegions(engine, regionId(900))).toEqual([]);
  });
});

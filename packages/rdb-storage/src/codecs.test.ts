import { compareKeys, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import type { ConfState, Entry, HardState } from "@flaredb/rdb-raft";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlatBatch, decodeBatch } from "./batch-codec.ts";
import { RecordReader, RecordWriter, readU64, writeU64 } from "./bytes.ts";
import { columns } from "./column.ts";
import { indexedKey, parseIndexedKey, parseStateKey, regionKeyRange, stateKey } from "./key-codec.ts";
import { keyOfText, keyText } from "./key-text.ts";
import {
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeTruncatedState,
  encodeConfState,
  encodeEntry,
  encodeHardState,
  encodeTruncatedState,
} from "./raft-codec.ts";
import { PackedBytes, packBytes } from "./reader-protocol.ts";
import {
  type ApplyState,
  type RegionLocalState,
  decodeApplyState,
  decodeRegionLocalState,
  encodeApplyState,
  encodeRegionLocalState,
} from "./region-codec.ts";
import { decodeValue, encodeValue } from "./value-codec.ts";

const u64 = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1));
const data = fc.uint8Array({ maxLength: 40 });
const peers = fc.array(u64.map(peerId), { maxLength: 4 });
const corrupt = expect.objectContaining({ code: "RDB_DATA_CORRUPT" });

/** Every way of cutting a record short, and one byte too many, is refused. */
function expectRefused(row: Uint8Array, decode: (row: Uint8Array) => unknown): void {
  for (let length = 0; length < row.length; length++) {
    expect(() => decode(row.subarray(0, length))).toThrow(corrupt);
  }
  expect(() => decode(Uint8Array.of(...row, 0))).toThrow(corrupt);
  expect(() => decode(Uint8Array.of(99, ...row.subarray(1)))).toThrow(corrupt);
}

describe("keys", () => {
  it("order numbers as their bytes", () => {
    fc.assert(
      fc.property(u64, u64, (a, b) => {
        const [one, two] = [new Uint8Array(8), new Uint8Array(8)];
        writeU64(one, 0, a);
        writeU64(two, 0, b);
        expect(Math.sign(compareKeys(one, two))).toBe(Math.sign(a - b));
        expect(readU64(one, 0)).toBe(a);
      }),
    );
  });

  it("SPEC-M4: of different Regions never meet, and each lies in its Region's range", () => {
    fc.assert(
      fc.property(fc.nat(1e9), u64, fc.nat(255), (id, position, kind) => {
        const region = regionId(id);
        const { startKey, endKey } = regionKeyRange(region);
        for (const key of [indexedKey(region, index(position)), stateKey(region, kind)]) {
          expect(compareKeys(startKey, key)).toBeLessThanOrEqual(0);
          expect(compareKeys(key, endKey)).toBeLessThan(0);
        }
        expect(parseIndexedKey(indexedKey(region, index(position)))).toEqual({
          regionId: id,
          index: position,
        });
        expect(parseStateKey(stateKey(region, kind))).toEqual({ regionId: id, kind });
      }),
    );
  });

  it("as text order as their bytes do", () => {
    fc.assert(
      fc.property(data, data, (a, b) => {
        const [one, two] = [keyText(a), keyText(b)];
        expect(one < two ? -1 : one > two ? 1 : 0).toBe(Math.sign(compareKeys(a, b)));
        expect(Uint8Array.from(keyOfText(one))).toEqual(a);
      }),
    );
  });
});

describe("values", () => {
  it("carry their version", () => {
    fc.assert(
      fc.property(u64, data, (version, value) => {
        expect(decodeValue(encodeValue(version, value))).toEqual({ version, value });
      }),
    );
  });

  it("are refused when they are short or of an unknown format", () => {
    expect(() => decodeValue(new Uint8Array(8))).toThrow(corrupt);
    expect(() => decodeValue(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 1))).toThrow(corrupt);
  });
});

describe("batches", () => {
  it("hold any mutations in order", () => {
    const op = fc.record({
      column: fc.constantFrom(...columns),
      key: data,
      value: fc.option(data, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(op), (ops) => {
        const batch = new FlatBatch(new Uint8Array(1));
        ops.forEach(({ column, key, value }) => batch.add(column, key, value));
        expect([...decodeBatch(batch.take())]).toEqual(ops);
      }),
    );
  });
});

describe("packed bytes", () => {
  it("come back in the same order, absent ones too", () => {
    fc.assert(
      fc.property(fc.array(fc.option(data, { nil: undefined })), fc.nat(20), (items, first) => {
        const packed = new PackedBytes(packBytes(items));
        const split = Math.min(first, items.length);
        expect([...packed.take(split), ...packed.take(items.length - split)]).toEqual(items);
      }),
    );
  });
});

describe("records", () => {
  it("SPEC-R3: bring entries back", () => {
    const type = fc.constantFrom("Normal", "ConfChange", "ConfChangeV2") as fc.Arbitrary<Entry["type"]>;
    fc.assert(
      fc.property(fc.record({ index: u64.map(index), term: u64.map(term), type, data }), (entry) => {
        const row = encodeEntry(entry);
        expect(decodeEntry(row, entry.index)).toEqual(entry);
        expect(() => decodeEntry(row.subarray(0, 9), entry.index)).toThrow(corrupt);
        expect(() => decodeEntry(Uint8Array.of(2, ...row.subarray(1)), entry.index)).toThrow(corrupt);
      }),
    );
  });

  it("SPEC-R3: bring HardState, ConfState and truncated state back", () => {
    const hardState: fc.Arbitrary<HardState> = fc.record({
      term: u64.map(term),
      vote: u64.map(peerId),
      commit: u64.map(index),
    });
    const confState: fc.Arbitrary<ConfState> = fc.record({
      voters: peers,
      learners: peers,
      votersOutgoing: peers,
      learnersNext: peers,
      autoLeave: fc.boolean(),
    });
    fc.assert(
      fc.property(hardState, confState, (hard, conf) => {
        expect(decodeHardState(encodeHardState(hard))).toEqual(hard);
        expect(decodeConfState(encodeConfState(conf))).toEqual(conf);
        const truncated = { index: hard.commit, term: hard.term };
        expect(decodeTruncatedState(encodeTruncatedState(truncated))).toEqual(truncated);
        expectRefused(encodeHardState(hard), decodeHardState);
        expectRefused(encodeConfState(conf), decodeConfState);
        expectRefused(encodeTruncatedState(truncated), decodeTruncatedState);
      }),
      { numRuns: 30 },
    );
  });

  it("bring Region and apply states back", () => {
    const peer = fc.record({
      id: u64.map(peerId),
      storeId: u64.map(storeId),
      role: fc.constantFrom(
        "Voter" as const,
        "Learner" as const,
        "IncomingVoter" as const,
        "DemotingVoter" as const,
      ),
    });
    const local: fc.Arbitrary<RegionLocalState> = fc.record({
      state: fc.constantFrom(
        "Normal" as const,
        "Applying" as const,
        "Destroying" as const,
        "Tombstone" as const,
        "Uninitialised" as const,
      ),
      region: fc.record({
        id: u64.map(regionId),
        startKey: data,
        endKey: data,
        epoch: fc.record({ confVer: u64, version: u64 }),
        peers: fc.array(peer, { maxLength: 3 }),
      }),
    });
    const apply: fc.Arbitrary<ApplyState> = fc.record({
      index: u64.map(index),
      term: u64.map(term),
      revision: u64,
      logTimeMs: u64,
    });
    fc.assert(
      fc.property(local, apply, (localState, applyState) => {
        expect(decodeRegionLocalState(encodeRegionLocalState(localState))).toEqual(localState);
        expect(decodeApplyState(encodeApplyState(applyState))).toEqual(applyState);
        expectRefused(encodeRegionLocalState(localState), decodeRegionLocalState);
        expectRefused(encodeApplyState(applyState), decodeApplyState);
      }),
      { numRuns: 30 },
    );
  });

  it("grow by whatever field comes, from any length", () => {
    for (let length = 0; length < 140; length++) {
      const before = Array.from({ length }, (_, at) => at);
      const writer = new RecordWriter();
      for (const value of before) {
        writer.u8(value);
      }
      const record = writer
        .u8(200)
        .u64(2 ** 40)
        .bytes(Uint8Array.from(before))
        .u8(201)
        .finish();
      const reader = new RecordReader(record, "record");
      expect(before.map(() => reader.u8())).toEqual(before);
      expect([reader.u8(), reader.u64()]).toEqual([200, 2 ** 40]);
      expect([...reader.bytes()]).toEqual(before);
      expect(reader.u8()).toBe(201);
      reader.end();
    }
  });

  it("refuse a number above 2^53 and a list longer than the record", () => {
    const high = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    expect(() => new RecordReader(high, "thing").u64()).toThrow(corrupt);
    const list = new RecordWriter().u64(1e9).finish();
    expect(() => new RecordReader(list, "thing").u64List()).toThrow(corrupt);
  });
});

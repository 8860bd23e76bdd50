import { index } from "@flaredb/rdb-base";
import type { SessionRow } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import { bytes } from "../testing/index.ts";
import { RecordedWrites } from "./recorded-writes.ts";

/** Of two clients, each with so many sequences from 1 on; their revisions tell them apart. */
function rowOf(at: number, count: number): SessionRow {
  const key = bytes("k");
  const records = [0, 1].flatMap((client) =>
    Array.from({ length: count }, (_, place) => ({
      ...{ client, sequence: 1 + place, kind: 0, revision: 1_000_000 * at + 2 * place + client },
      ...{ firstKey: key, lastKey: key, keyHashes: bytes(""), details: bytes("") },
    })),
  );
  const clients = [77, 78].map((clientId) => ({ clientId, floor: 0 }));
  return { logTimeMs: 1, baseRevision: 0, clients, records };
}

function scene(count: number): { readonly recorded: RecordedWrites; readonly read: number[] } {
  const read: number[] = [];
  const recorded = new RecordedWrites((at) => {
    read.push(at);
    return rowOf(at, count);
  });
  return { recorded, read };
}

describe("RecordedWrites", () => {
  it("finds a client's sequence in the row of an entry, which it reads once", () => {
    const { recorded, read } = scene(3);
    const found = [77, 78].map((clientId) => recorded.of(index(7), clientId, 2));
    expect(found.map((records) => records.map(({ revision }) => revision))).toEqual([
      [7_000_002],
      [7_000_003],
    ]);
    expect(recorded.of(index(7), 77, 4)).toEqual([]);
    expect(recorded.of(index(7), 79, 1)).toEqual([]);
    expect(read).toEqual([7]);
  });

  it("lets go of rows that come to hold too much, and reads them anew", () => {
    const { recorded, read } = scene(15_000);
    for (const at of [7, 8, 8, 7]) {
      expect(recorded.of(index(at), 77, 1)).toMatchObject([{ revision: 1_000_000 * at }]);
    }
    expect(read).toEqual([7, 8, 7]);
  });
});

import { crc32 } from "node:zlib";
import {
  FULL_RANGE,
  type KeyRange,
  type Region,
  SeededRandom,
  index,
  limits,
  regionId,
} from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cursor, Row } from "./engine.ts";
import { indexedKey } from "./key-codec.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { SnapshotChunkReader, snapshotRowBatches } from "./snapshot-chunk-reader.ts";
import { SnapshotChunkWriter } from "./snapshot-chunk-writer.ts";
import { SNAPSHOT_CHUNK_MAX_BYTES, type SnapshotChunk, type SnapshotRow } from "./snapshot-chunk.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

const region = (range: KeyRange = FULL_RANGE): Region => ({
  ...range,
  id: regionId(4),
  epoch: { confVer: 1, version: 1 },
  peers: [],
});

/** A cursor over given rows, in pages of at most three. */
function cursorOf(rows: readonly Row[]): Cursor {
  let position = 0;
  return {
    next: async (maxCount) => {
      const page = rows.slice(position, position + Math.min(maxCount, 3));
      position += page.length;
      return { rows: page, done: position === rows.length };
    },
    close: () => {},
  };
}

const bytes = fc.uint8Array({ maxLength: 30 });
const someRows = fc
  .tuple(
    fc.array(fc.record({ key: bytes, value: bytes }), { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(100), bytes), { maxLength: 5 }),
  )
  .map(([data, session]): SnapshotRow[] => [
    ...data.map((row) => ({ column: "data" as const, ...row })),
    ...session.map(([position, value]) => ({
      column: "session" as const,
      key: indexedKey(regionId(4), index(position)),
      value,
    })),
  ]);

async function chunksOf(rows: readonly SnapshotRow[], chunkMaxBytes: number): Promise<SnapshotChunk[]> {
  const writer = new SnapshotChunkWriter(
    {
      data: cursorOf(rows.filter(({ column }) => column === "data")),
      session: cursorOf(rows.filter(({ column }) => column === "session")),
    },
    chunkMaxBytes,
  );
  const chunks: SnapshotChunk[] = [];
  for (let chunk = await writer.next(); chunk !== undefined; chunk = await writer.next()) {
    chunks.push(chunk);
  }
  writer.close();
  return chunks;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

describe("snapshot chunks", () => {
  it("bring any rows back, in bounded chunks and batches", async () => {
    await fc.assert(
      fc.asyncProperty(
        someRows,
        fc.integer({ min: 1, max: 90 }),
        fc.nat(80),
        async (rows, chunkBytes, batchBytes) => {
          const chunks = await chunksOf(rows, chunkBytes);
          expect(chunks.every(({ data }) => data.length <= chunkBytes)).toBe(true);
          expect(chunks.map(({ last }) => last).lastIndexOf(false)).toBe(chunks.length - 2);
          const found: SnapshotRow[] = [];
          for await (const batch of snapshotRowBatches(each(chunks), region(), batchBytes)) {
            const size = batch.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
            expect(batch.length === 1 || size <= batchBytes).toBe(true);
            found.push(...batch);
          }
          expect(found).toEqual(rows);
        },
      ),
    );
  });

  it("are refused by index when a bit, the order or the end is wrong", async () => {
    await fc.assert(
      fc.asyncProperty(
        someRows,
        fc.nat(),
        fc.integer({ min: 1, max: 60 }),
        async (rows, seed, chunkBytes) => {
          const random = new SeededRandom(seed);
          const chunks = await chunksOf(rows, chunkBytes);
          const position = random.nextInt(chunks.length);
          const victim = chunks[position] as SnapshotChunk;
          fc.pre(victim.data.length > 0);
          const damaged = victim.data.slice();
          const at = random.nextInt(damaged.length);
          damaged[at] = (damaged[at] as number) ^ (1 << random.nextInt(8));
          const reader = new SnapshotChunkReader(region());
          for (const chunk of chunks.slice(0, position)) {
            reader.accept(chunk);
          }
          const refused = expect.objectContaining({
            code: "RDB_DATA_CORRUPT",
            details: expect.objectContaining({ chunkIndex: position }),
          });
          expect(() => reader.accept({ ...victim, data: damaged })).toThrow(refused);
          expect(() => reader.accept({ ...victim, index: position + 1 })).toThrow(/was expected/);
          // The right one is still accepted, and then no second time.
          reader.accept(victim);
          expect(() => reader.accept(victim)).toThrow(refused);
          for (const chunk of chunks.slice(position + 1)) {
            reader.accept(chunk);
          }
          expect(reader.isComplete).toBe(true);
        },
      ),
    );
  });

  it("are refused when the last one is missing, or comes in the middle of a row", async () => {
    const rows: SnapshotRow[] = [{ column: "data", key: new Uint8Array(20), value: new Uint8Array(20) }];
    const chunks = await chunksOf(rows, 10);
    const missing = snapshotRowBatches(each(chunks.slice(0, -1)), region(), 100);
    await expect(missing.next()).rejects.toThrow(/ends with chunk 3, which is not its last/);
    const cut = new SnapshotChunkReader(region());
    expect(() => cut.accept({ ...(chunks[0] as SnapshotChunk), last: true })).toThrow(/bytes of a row/);
  });

  it("SPEC-M3: are refused when they hold a row of another Region", async () => {
    const narrow = region({ startKey: Uint8Array.of(5), endKey: Uint8Array.of(9) });
    for (const row of [
      { column: "data", key: Uint8Array.of(9), value: new Uint8Array(0) },
      { column: "session", key: indexedKey(regionId(5), index(1)), value: new Uint8Array(0) },
    ] as const) {
      const [chunk] = await chunksOf([row], 1_000);
      expect(() => new SnapshotChunkReader(narrow).accept(chunk as SnapshotChunk)).toThrow(
        /outside the region/,
      );
    }
  });

  it("show the Region as it was when its cursors were opened", async () => {
    const clock = new ManualClock();
    const onFatal = (error: Error): never => {
      throw error;
    };
    const engine = new MemoryEngine({ clock, random: new SeededRandom(1), onFatal });
    const put = (key: number, value: number): void => {
      const part = new WritePart();
      part.put("data", Uint8Array.of(key), Uint8Array.of(value));
      engine.submit(part);
    };
    put(1, 1);
    put(2, 1);
    const writer = new SnapshotChunkWriter({
      data: engine.openCursor("data", FULL_RANGE),
      session: engine.openCursor("session", FULL_RANGE),
    });
    put(2, 2);
    put(3, 2);
    const chunk = await clock.runUntil(writer.next());
    expect(chunk?.last).toBe(true);
    const rows = new SnapshotChunkReader(region()).accept(chunk as SnapshotChunk);
    expect(rows.map(({ key, value }) => [key[0], value[0]])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(writer.sizeBytes).toBe(chunk?.data.length);
    expect(await clock.runUntil(writer.next())).toBeUndefined();
    writer.close();
  });
});

describe("a sender that lies", () => {
  /** A row's header: what it claims to hold. */
  function rowHeader(keyBytes: number, valueBytes: number): Uint8Array {
    const header = Buffer.alloc(9);
    header.writeUInt32LE(keyBytes, 1);
    header.writeUInt32LE(valueBytes, 5);
    return header;
  }
  const chunkOf = (data: Uint8Array): SnapshotChunk => ({ index: 0, data, crc32: crc32(data), last: false });

  it.each([
    ["value", 1, 2 ** 32 - 1],
    ["key", 2 ** 32 - 1, 1],
  ])("a row whose %s is longer than any is refused before it is gathered", (_, keyBytes, valueBytes) => {
    const reader = new SnapshotChunkReader(region());
    expect(() => reader.accept(chunkOf(rowHeader(keyBytes, valueBytes)))).toThrow(/longer than any/);
  });

  it("a row as large as one may be is gathered over many chunks", async () => {
    const rows: SnapshotRow[] = [
      {
        column: "data",
        key: new Uint8Array(limits.keyMaxBytes),
        value: new Uint8Array(limits.valueMaxBytes),
      },
    ];
    const reader = new SnapshotChunkReader(region());
    const read = (await chunksOf(rows, SNAPSHOT_CHUNK_MAX_BYTES)).flatMap((chunk) => [
      ...reader.accept(chunk),
    ]);
    expect(read.map(({ value }) => value.length)).toEqual([limits.valueMaxBytes]);
  });

  it("a chunk of nothing that is not the last is refused: it could go on for ever", () => {
    const reader = new SnapshotChunkReader(region());
    expect(() => reader.accept(chunkOf(new Uint8Array()))).toThrow(/is empty/);
  });
});

import { cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { SeededRandom, systemClock } from "@flaredb/rdb-base";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { crc32c } from "./crc32c.ts";
import type { Engine } from "./engine.ts";
import { LOG_BLOCK_BYTES, LogRecordReader } from "./log-record-reader.ts";
import { openRocksEngine } from "./rocks-engine.ts";
import { MEMTABLE_MIN_BYTES } from "./rocks-options.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { WritePart } from "./write-part.ts";

const PARTS = 120;
/** Databases are opened many times over. */
const TIMEOUT_MS = 60_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let original: ReturnType<typeof temporaryFolder>;
let copy: ReturnType<typeof temporaryFolder>;

beforeAll(async () => {
  original = temporaryFolder("wal");
  const engine = await openEngine(original.path);
  await writeParts(engine, 1, PARTS);
  await engine.close();
});
afterAll(() => original.remove());
beforeEach(() => {
  copy = temporaryFolder("wal-copy");
  cpSync(original.path, copy.path, { recursive: true });
});
afterEach(() => copy.remove());

function openEngine(path: string, memtableBytes = {}): Promise<Engine> {
  return openRocksEngine({
    path,
    clock: systemClock,
    memtableBytes,
    onFatal: (error) => {
      throw error;
    },
  });
}

/** Each part is a record of the log, of very different sizes, and holds its number. */
async function writeParts(engine: Engine, first: number, last: number): Promise<void> {
  for (let number = first; number <= last; number++) {
    const part = new WritePart();
    part.put("meta", bytes("count"), bytes(String(number)));
    part.put(
      "data",
      bytes(`key-${number}`),
      new Uint8Array(number % 20 === 0 ? 70_000 : number * 3).fill(number),
    );
    part.sync = true;
    await new Promise<void>((resolve) => engine.submit(part, resolve));
  }
}

const databasePath = (): string => join(copy.path, "db");

function logFiles(): string[] {
  return readdirSync(databasePath())
    .filter((name) => name.endsWith(".log"))
    .sort()
    .map((name) => join(databasePath(), name));
}

/** The log with the most in it; room that was not written is not counted. */
function theLog(): { readonly path: string; readonly content: Buffer; readonly offsets: number[] } {
  const [path] = logFiles();
  expect(logFiles()).toHaveLength(1);
  const content = readFileSync(path as string);
  return { path: path as string, content, offsets: recordOffsets(content) };
}

function theOriginal(): string {
  const name = basename(logFiles()[0] as string);
  return join(original.path, "db", name);
}

function recordOffsets(content: Buffer): number[] {
  const offsets: number[] = [];
  const reader = new LogRecordReader({
    record: (_data, offset) => offsets.push(offset),
    damage: () => {
      throw new Error("the original is whole");
    },
    isPlausible: () => false,
  });
  for (let offset = 0; offset < content.length; offset += LOG_BLOCK_BYTES) {
    reader.block(content.subarray(offset, offset + LOG_BLOCK_BYTES));
  }
  reader.end();
  return offsets;
}

/** How many parts are found on opening, or the code it is refused with. */
async function outcome(): Promise<number | string> {
  let engine: Engine;
  try {
    engine = await openEngine(copy.path);
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  const count = Number(Buffer.from(engine.get("meta", bytes("count")) ?? bytes("0")).toString());
  await engine.close();
  return count;
}

describe("the write-ahead log", { timeout: TIMEOUT_MS }, () => {
  it("is whole after a clean stop", async () => {
    // The format's record, and the parts.
    expect(theLog().offsets).toHaveLength(PARTS + 1);
    expect(await outcome()).toBe(PARTS);
  });

  it("may have a torn tail, which is where it ends", async () => {
    const { path, offsets } = theLog();
    truncateSync(path, (offsets[100] as number) + 11);
    expect(await outcome()).toBe(99);
  });

  it("may end with a damaged record", async () => {
    const { path, content, offsets } = theLog();
    flip(content, (offsets.at(-1) as number) + 30);
    writeFileSync(path, content);
    expect(await outcome()).toBe(PARTS - 1);
  });

  it("may end with room that was never written", async () => {
    const { path, content, offsets } = theLog();
    writeFileSync(path, Buffer.concat([content.subarray(0, offsets[50]), Buffer.alloc(100_000)]));
    expect(await outcome()).toBe(49);
  });

  it("SPEC-R3: is refused with a whole record behind a damaged one, saying what to do", async () => {
    const { path, content, offsets } = theLog();
    flip(content, (offsets[60] as number) + 20);
    writeFileSync(path, content);
    const before = readFileSync(path);
    await expect(openEngine(copy.path)).rejects.toMatchObject({
      code: "RDB_DATA_CORRUPT",
      message: expect.stringMatching(/lost records at \d+\.log, byte \d+.*add the Store as a new one/),
      details: { offset: offsets[60] },
    });
    expect(readFileSync(path)).toEqual(before);
  });

  it("is refused when its first record is damaged", async () => {
    const { path, content } = theLog();
    flip(content, 10);
    writeFileSync(path, content);
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
  });

  it("is refused when a damaged length hides the record behind it, the last of the log", async () => {
    const { path, content, offsets } = theLog();
    content[(offsets.at(-2) as number) + 5] = 0x7f;
    writeFileSync(path, content);
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
  });

  it("is refused when a page in the middle was never written", async () => {
    const { path, content } = theLog();
    content.fill(0, 40_960, 45_056);
    writeFileSync(path, content);
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
  });

  it("is refused when its first page was never written, whatever follows", async () => {
    const { path, content, offsets } = theLog();
    content.fill(
      0,
      0,
      offsets.find((offset) => offset >= 4_096),
    );
    writeFileSync(path, content);
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
    // Whole records from the beginning of a block on.
    writeFileSync(path, Buffer.concat([Buffer.alloc(LOG_BLOCK_BYTES), readFileSync(theOriginal())]));
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
  });

  it("is refused for any damaged byte, or else only its last record is gone", async () => {
    const random = new SeededRandom(7);
    const { path, content, offsets } = theLog();
    const end = content.findLastIndex((byte) => byte !== 0);
    let refused = 0;
    for (let round = 0; round < 25; round++) {
      const damaged = Buffer.from(content);
      // Often near the end, where it is hardest to tell from a torn tail.
      const from = round % 2 === 0 ? 0 : (offsets.at(-4) as number);
      flip(damaged, from + random.nextInt(end - from));
      writeFileSync(path, damaged);
      const found = await outcome();
      if (found === "RDB_DATA_CORRUPT") {
        refused++;
      } else {
        // The byte lay in the last record, or in the empty end of a block.
        expect(found).toBeGreaterThanOrEqual(PARTS - 1);
        rmSync(copy.path, { recursive: true });
        cpSync(original.path, copy.path, { recursive: true });
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  it("is refused when a whole file of it is missing, or damaged", async () => {
    // Small memtables begin new logs; what the first family does not flush keeps the old ones alive.
    const engine = await openEngine(copy.path, { data: MEMTABLE_MIN_BYTES });
    await writeParts(engine, PARTS + 1, PARTS + 60);
    await engine.close();
    const logs = logFiles();
    expect(logs.length).toBeGreaterThan(2);
    const middle = logs[1] as string;
    const content = readFileSync(middle);
    rmSync(middle);
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
    writeFileSync(middle, Buffer.alloc(content.length));
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
    writeFileSync(middle, content);
    expect(await outcome()).toBe(PARTS + 60);
  });

  it("may have had a torn tail before an earlier start", async () => {
    const { path, offsets } = theLog();
    truncateSync(path, (offsets[100] as number) + 11);
    const engine = await openEngine(copy.path);
    await writeParts(engine, 100, 110);
    await engine.close();
    expect(await outcome()).toBe(110);
  });

  it("may be found beside an old one, whose removal was not synced", async () => {
    const { path, content } = theLog();
    const engine = await openEngine(copy.path);
    await writeParts(engine, PARTS + 1, PARTS + 10);
    await engine.close();
    expect(logFiles()).not.toContain(path);
    writeFileSync(path, content.subarray(0, 50_000));
    expect(await outcome()).toBe(PARTS + 10);
  });
});

describe("a database", { timeout: TIMEOUT_MS }, () => {
  it("is refused when it lost the file that names its manifest", async () => {
    rmSync(join(databasePath(), "CURRENT"));
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
    writeFileSync(join(databasePath(), "CURRENT"), "");
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
    writeFileSync(join(databasePath(), "CURRENT"), "MANIFEST-999999\n");
    expect(await outcome()).toBe("RDB_DATA_CORRUPT");
  });
});

describe("crc32c", () => {
  it("gives the checksums of RFC 3720", () => {
    const of = (data: Uint8Array): number => crc32c(data, 0, data.length);
    expect(of(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(of(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(of(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(of(bytes("123456789"))).toBe(0xe3069283);
  });
});

function flip(content: Buffer, position: number): void {
  content[position] = (content[position] as number) ^ 0x10;
}

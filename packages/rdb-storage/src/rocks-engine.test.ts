import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FULL_RANGE, MiB, systemClock } from "@flaredb/rdb-base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { markClusterVersion } from "./data-folder.ts";
import type { Engine } from "./engine.ts";
import { openRocksEngine } from "./rocks-engine.ts";
import { MEMTABLE_MIN_BYTES } from "./rocks-options.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { WritePart } from "./write-part.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Of this thread: what V8 would do sooner or later. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  setFlagsFromString("--no-expose-gc");
}

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder("rocks");
});
afterEach(() => folder.remove());

function openEngine(): Promise<Engine> {
  return openRocksEngine({
    path: folder.path,
    clock: systemClock,
    memtableBytes: { data: MEMTABLE_MIN_BYTES },
    onFatal: (error) => {
      throw error;
    },
  });
}

function put(engine: Engine, key: string, value: string): Promise<void> {
  const part = new WritePart();
  part.put("data", bytes(key), bytes(value));
  part.sync = true;
  return new Promise((resolve) => engine.submit(part, resolve));
}

/** Every file below a folder with its size and time of change. */
function fingerprint(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const { size, mtimeMs } = statSync(join(path, name));
      return `${name} ${size} ${mtimeMs}`;
    });
}

describe("RocksEngine", { timeout: 30_000 }, () => {
  it("keeps what was written across a reopen", async () => {
    const first = await openEngine();
    await put(first, "apple", "1");
    await first.close();
    const second = await openEngine();
    expect(second.get("data", bytes("apple"))).toEqual(Buffer.from("1"));
    await second.close();
  });

  it("gives back the memory of large passes", async () => {
    const engine = await openEngine();
    const value = new Uint8Array(2 * MiB);
    const residentAfterPasses = async (count: number): Promise<number> => {
      for (let pass = 0; pass < count; pass++) {
        const part = new WritePart();
        part.put("data", bytes(`large-${pass % 8}`), value);
        await new Promise<void>((resolve) => engine.submit(part, resolve));
      }
      collectGarbage();
      return process.memoryUsage.rss();
    };
    const before = await residentAfterPasses(40);
    // All that they took is 320 MiB.
    expect((await residentAfterPasses(160)) - before).toBeLessThan(160 * MiB);
    await engine.close();
  });

  it("refuses a folder that another process holds, and touches nothing", async () => {
    const holder = await openEngine();
    await put(holder, "apple", "1");
    const before = fingerprint(folder.path);
    await expect(openEngine()).rejects.toMatchObject({
      code: "RDB_DATA_LOCKED",
      message: expect.stringContaining(folder.path),
    });
    expect(fingerprint(folder.path)).toEqual(before);
    await put(holder, "banana", "2");
    await holder.close();
  });

  it("refuses a folder of a newer format, and touches nothing", async () => {
    const engine = await openEngine();
    await put(engine, "apple", "1");
    await engine.close();
    writeFileSync(join(folder.path, "FORMAT"), "flaredb-data 4\n");
    const before = fingerprint(folder.path);
    await expect(openEngine()).rejects.toMatchObject({
      code: "RDB_DATA_FORMAT",
      message: expect.stringContaining("format 4"),
    });
    expect(fingerprint(folder.path)).toEqual(before);
  });

  it("writes the format into a new folder and into the database", async () => {
    const engine = await openEngine();
    expect(readFileSync(join(folder.path, "FORMAT"), "utf8")).toBe("flaredb-data 2\n");
    expect(engine.get("meta", bytes("format"))).toEqual(Buffer.from("2"));
    await engine.close();
  });

  it("makes a folder of the former format one of its own, which a former program refuses", async () => {
    const former = await openEngine();
    const part = new WritePart();
    part.put("data", bytes("apple"), bytes("1"));
    part.put("meta", bytes("format"), bytes("1"));
    former.submit(part);
    await former.close();
    writeFileSync(join(folder.path, "FORMAT"), "flaredb-data 1\n");
    const engine = await openEngine();
    // The former program opens a folder only when the file and the row both say 1.
    expect(readFileSync(join(folder.path, "FORMAT"), "utf8")).toBe("flaredb-data 2\n");
    expect(engine.get("meta", bytes("format"))).toEqual(Buffer.from("2"));
    expect(engine.get("data", bytes("apple"))).toEqual(Buffer.from("1"));
    await engine.close();
    await (await openEngine()).close();
  });

  it("keeps the format that a cluster version gave, which programs before that version refuse", async () => {
    await (await openEngine()).close();
    await markClusterVersion(folder.path, 1);
    expect(readFileSync(join(folder.path, "FORMAT"), "utf8")).toBe("flaredb-data 2\n");
    await markClusterVersion(folder.path, 2);
    expect(readFileSync(join(folder.path, "FORMAT"), "utf8")).toBe("flaredb-data 3\n");
    await (await openEngine()).close();
    expect(readFileSync(join(folder.path, "FORMAT"), "utf8")).toBe("flaredb-data 3\n");
  });

  it.each(["0", "4"])("refuses a database of format %s in a folder of the former one", async (version) => {
    const engine = await openEngine();
    const part = new WritePart();
    part.put("meta", bytes("format"), bytes(version));
    engine.submit(part);
    await engine.close();
    writeFileSync(join(folder.path, "FORMAT"), "flaredb-data 1\n");
    await expect(openEngine()).rejects.toMatchObject({ code: "RDB_DATA_FORMAT" });
    expect(readFileSync(join(folder.path, "FORMAT"), "utf8")).toBe("flaredb-data 1\n");
  });

  it("closes under open cursors", async () => {
    const engine = await openEngine();
    await put(engine, "apple", "1");
    const cursor = engine.openCursor("data", FULL_RANGE);
    const page = cursor.next(10, 1000);
    await engine.close();
    expect((await page).rows).toHaveLength(1);
    cursor.close();
  });

  it("refuses a database of a newer format whose folder lost its mark", async () => {
    const engine = await openEngine();
    const part = new WritePart();
    part.put("meta", bytes("format"), bytes("4"));
    engine.submit(part);
    await engine.close();
    rmSync(join(folder.path, "FORMAT"));
    await expect(openEngine()).rejects.toMatchObject({ code: "RDB_DATA_FORMAT" });
  });

  it("tells damaged data from missing data, in every kind of read", async () => {
    const engine = await openEngine();
    for (let i = 0; i < 400; i++) {
      const part = new WritePart();
      part.put("data", bytes(`key-${i}`), new Uint8Array(1_000).fill(i));
      engine.submit(part);
    }
    await engine.close();
    // Reopening flushes what the log still holds, so that the rows are in table files.
    await (await openEngine()).close();
    damageTables();
    const damaged = await openEngine();
    const corrupt = expect.objectContaining({ code: "RDB_DATA_CORRUPT" });
    expect(() => damaged.get("data", bytes("key-0"))).toThrow(corrupt);
    await expect(damaged.getMany("data", [bytes("key-0")])).rejects.toEqual(corrupt);
    const cursor = damaged.openCursor("data", FULL_RANGE);
    await expect(cursor.next(10, 10_000)).rejects.toEqual(corrupt);
    cursor.close();
    // And goes on with what is whole.
    await put(damaged, "whole", "1");
    expect(await damaged.getMany("data", [bytes("whole")])).toEqual([bytes("1")]);
    await damaged.close();
  });
});

/** Flips a byte near the beginning, so in the first block of rows, of each table file of any size. */
function damageTables(): void {
  const path = join(folder.path, "db");
  for (const name of readdirSync(path)) {
    const file = join(path, name);
    if (name.endsWith(".sst") && statSync(file).size > 10_000) {
      const content = readFileSync(file);
      content[100] = (content[100] as number) ^ 0xff;
      writeFileSync(file, content);
    }
  }
}

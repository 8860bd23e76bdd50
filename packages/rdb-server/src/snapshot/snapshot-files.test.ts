import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom, systemClock } from "@flaredb/rdb-base";
import type { SnapshotRow } from "@flaredb/rdb-storage";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SnapshotFiles } from "../store/ports.ts";
import {
  readSnapshot,
  receiveChunks,
  receiveSnapshot,
  snapshotRegion,
} from "../testing/received-snapshot.ts";
import { MemorySnapshotFiles } from "../testing/sim/memory-snapshot-files.ts";
import { sessionRows, someRows } from "../testing/snapshot-rows.ts";
import { SnapshotFolder } from "./snapshot-folder.ts";

const plain = (rows: readonly SnapshotRow[]) =>
  rows.map(({ column, key, value }) => [column, Buffer.from(key).toString(), Buffer.from(value).toString()]);

let path: string;
let memory: MemorySnapshotFiles;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "rdb-snapshots-"));
  memory = new MemorySnapshotFiles({ clock: systemClock, random: new SeededRandom(1) });
});
afterEach(() => rm(path, { recursive: true }));

/** What a start does, each time on what is there. */
type Open = (inUse: readonly string[]) => Promise<SnapshotFiles>;

const openFolder: Open = (inUse) => SnapshotFolder.open(path, new Set(inUse));
const openMemory: Open = (inUse) => {
  memory.retain((id) => inUse.includes(id));
  return Promise.resolve(memory);
};

describe.each([
  ["a folder", openFolder],
  ["memory", openMemory],
])("snapshot files in %s", (_, open) => {
  test("what was received is read back, after a restart too", async () => {
    const rows = [...someRows(100), ...sessionRows(snapshotRegion.id, 5)];
    const files = await open([]);
    expect(await files.has("7-6-123")).toBe(false);
    await receiveSnapshot(files, "7-6-123", rows);
    const restarted = await open(["7-6-123"]);
    expect(plain(await readSnapshot(restarted, "7-6-123"))).toEqual(plain(rows));
    expect(await restarted.has("7-6-123")).toBe(true);
  });

  test("batches hold at most the bytes that were asked for", async () => {
    const files = await open([]);
    await receiveSnapshot(files, "1-6-1", someRows(20));
    const sizes = [];
    for await (const batch of files.read("1-6-1", 200)) {
      sizes.push(batch.reduce((bytes, { key, value }) => bytes + key.length + value.length, 0));
    }
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
  });

  test("what is coming in is not here until it is complete, and not after it was discarded", async () => {
    const files = await open([]);
    const incoming = await receiveChunks(files, "1-6-1", someRows(3));
    expect(await files.has("1-6-1")).toBe(false);
    await incoming.discard();
    expect(await files.has("1-6-1")).toBe(false);
    await receiveSnapshot(files, "1-6-1", someRows(3));
    expect(await files.has("1-6-1")).toBe(true);
  });

  test("a removed one is gone, however often it is removed, and may come again", async () => {
    const files = await open([]);
    await receiveSnapshot(files, "2-6-1", someRows(3));
    await files.remove("2-6-1");
    await files.remove("2-6-1");
    expect(await files.has("2-6-1")).toBe(false);
    await expect(readSnapshot(files, "2-6-1")).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
    await receiveSnapshot(files, "2-6-1", someRows(4));
    expect(await readSnapshot(files, "2-6-1")).toHaveLength(4);
  });

  test("a start drops what no Region needs, and halves", async () => {
    const files = await open([]);
    await receiveSnapshot(files, "1-6-1", someRows(3));
    await receiveSnapshot(files, "2-6-1", someRows(3));
    await receiveChunks(files, "3-6-1", someRows(3));
    const restarted = await open(["2-6-1", "3-6-1"]);
    expect(await Promise.all(["1-6-1", "2-6-1", "3-6-1"].map((id) => restarted.has(id)))).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("an id that is no file name is a fault of ours", async () => {
    const files = await open([]);
    await expect(files.remove("../x")).rejects.toThrow("file's name");
    await expect(files.receive("../x", snapshotRegion)).rejects.toThrow("file's name");
  });
});

describe("a crash of snapshot files in memory", () => {
  /** Whether each id is found after crashes of the files that `prepare` left, with many draws of chance. */
  async function found(
    prepare: (files: MemorySnapshotFiles) => Promise<unknown>,
    ids: readonly string[],
  ): Promise<Set<string>> {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const files = new MemorySnapshotFiles({ clock: systemClock, random: new SeededRandom(seed) });
      await prepare(files);
      const after = files.crash();
      outcomes.add(ids.filter((id) => after.ids.includes(id)).join(" "));
    }
    return outcomes;
  }

  test("SCENARIO-9: keeps what is complete, and nothing of what is coming in", async () => {
    const prepare = async (files: MemorySnapshotFiles): Promise<void> => {
      await receiveSnapshot(files, "1-6-1", someRows(3));
      await receiveChunks(files, "2-6-1", someRows(3));
    };
    expect(await found(prepare, ["1-6-1", "2-6-1"])).toEqual(new Set(["1-6-1"]));
  });

  test("SCENARIO-9: may lose a name that was given and not synced, and a removal", async () => {
    const naming = async (files: MemorySnapshotFiles): Promise<void> => {
      const incoming = await receiveChunks(files, "1-6-1", someRows(3));
      void incoming.complete();
      while (!(await files.has("1-6-1"))) {
        // Until its name is given.
      }
    };
    const removal = async (files: MemorySnapshotFiles): Promise<void> => {
      await receiveSnapshot(files, "1-6-1", someRows(3));
      await files.remove("1-6-1");
    };
    expect(await found(removal, ["1-6-1"])).toEqual(new Set(["", "1-6-1"]));
    expect(await found(naming, ["1-6-1"])).toEqual(new Set(["", "1-6-1"]));
  });

  test("answers nobody who waited", async () => {
    const files = new MemorySnapshotFiles({ clock: systemClock, random: new SeededRandom(1) });
    let isAnswered = false;
    void files.has("1-6-1").then(() => (isAnswered = true));
    const after = files.crash();
    await after.has("1-6-1");
    await new Promise<void>((resolve) => systemClock.setImmediate(resolve));
    expect(isAnswered).toBe(false);
  });
});

import { mkdtemp, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peerId, regionId, storeId } from "@flaredb/rdb-base";
import type { Region } from "@flaredb/rdb-base";
import { type SnapshotRow, SnapshotChunkWriter } from "@flaredb/rdb-storage";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rowsCursor, sessionRows, someRows } from "../testing/snapshot-rows.ts";
import { isSnapshotId } from "./snapshot-file.ts";
import { SnapshotFolder } from "./snapshot-folder.ts";

const region: Region = {
  id: regionId(7),
  startKey: new TextEncoder().encode("a"),
  endKey: new TextEncoder().encode("z"),
  epoch: { confVer: 3, version: 4 },
  peers: [{ id: peerId(70), storeId: storeId(1), role: "Voter" }],
};

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "rdb-snapshots-"));
});
afterEach(() => rm(path, { recursive: true }));

/** Receives the rows as snapshot `id`, in small chunks. */
async function receive(folder: SnapshotFolder, id: string, rows: readonly SnapshotRow[]): Promise<void> {
  const file = await folder.receive(id, region);
  const writer = new SnapshotChunkWriter(
    { data: rowsCursor(rows, "data"), session: rowsCursor(rows, "session") },
    1_000,
  );
  for (let chunk = await writer.next(); chunk !== undefined; chunk = await writer.next()) {
    await file.append(chunk);
  }
  await file.complete();
}

async function readAll(folder: SnapshotFolder, id: string, maxBytes = 1_000): Promise<SnapshotRow[]> {
  const rows: SnapshotRow[] = [];
  for await (const batch of folder.read(id, maxBytes)) {
    rows.push(...batch);
  }
  return rows;
}

const plain = (rows: readonly SnapshotRow[]) =>
  rows.map(({ column, key, value }) => [column, Buffer.from(key).toString(), Buffer.from(value).toString()]);

test("what was received is read back, after a restart too", async () => {
  const rows = [...someRows(100), ...sessionRows(region.id, 5)];
  await receive(await SnapshotFolder.open(path, new Set()), "7-6-123", rows);
  const restarted = await SnapshotFolder.open(path, new Set(["7-6-123"]));
  expect(plain(await readAll(restarted, "7-6-123"))).toEqual(plain(rows));
  expect(await restarted.has("7-6-123")).toBe(true);
});

test("a start deletes what no Region needs, and halves", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  await receive(folder, "1-6-1", someRows(3));
  await receive(folder, "2-6-1", someRows(3));
  await writeFile(join(path, "3-6-1.part"), "half");
  await SnapshotFolder.open(path, new Set(["2-6-1", "3-6-1"]));
  expect(await readdir(path)).toEqual(["2-6-1.snapshot"]);
});

test("a discarded one leaves nothing; a removed one neither, however often it is removed", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  const file = await folder.receive("1-6-1", region);
  await file.discard();
  await receive(folder, "2-6-1", someRows(3));
  await folder.remove("2-6-1");
  await folder.remove("2-6-1");
  expect(await readdir(path)).toEqual([]);
  expect(await folder.has("2-6-1")).toBe(false);
});

test("every damaged byte of a file is found", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  await receive(folder, "1-6-1", someRows(4));
  const file = join(path, "1-6-1.snapshot");
  const whole = await readFile(file);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x15;
    await writeFile(file, damaged);
    await expect(readAll(folder, "1-6-1"), `byte ${at}`).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
  }
});

test("a file that was cut anywhere is found", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  await receive(folder, "1-6-1", someRows(40));
  const file = join(path, "1-6-1.snapshot");
  const { length } = await readFile(file);
  for (let cut = length - 1; cut >= 0; cut -= 97) {
    const handle = await open(file, "r+");
    await handle.truncate(cut);
    await handle.close();
    await expect(readAll(folder, "1-6-1"), `cut at ${cut}`).rejects.toMatchObject({
      code: "RDB_DATA_CORRUPT",
    });
  }
  await rm(file);
  await expect(readAll(folder, "1-6-1")).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
});

test("an id that is no file name is a fault of ours", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  expect(isSnapshotId("../x")).toBe(false);
  await expect(folder.remove("../x")).rejects.toThrow("file's name");
});

import { mkdtemp, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSnapshot, receiveSnapshot, snapshotRegion } from "../testing/received-snapshot.ts";
import { someRows } from "../testing/snapshot-rows.ts";
import { isSnapshotId } from "./snapshot-file.ts";
import { SnapshotFolder } from "./snapshot-folder.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "rdb-snapshots-"));
});
afterEach(() => rm(path, { recursive: true }));

test("a start deletes what no Region needs, and halves", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  await receiveSnapshot(folder, "1-6-1", someRows(3));
  await receiveSnapshot(folder, "2-6-1", someRows(3));
  await writeFile(join(path, "3-6-1.part"), "half");
  await SnapshotFolder.open(path, new Set(["2-6-1", "3-6-1"]));
  expect(await readdir(path)).toEqual(["2-6-1.snapshot"]);
});

test("a discarded one leaves no file, a removed one neither", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  const file = await folder.receive("1-6-1", snapshotRegion);
  await file.discard();
  await receiveSnapshot(folder, "2-6-1", someRows(3));
  await folder.remove("2-6-1");
  expect(await readdir(path)).toEqual([]);
});

test("every damaged byte of a file is found", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  await receiveSnapshot(folder, "1-6-1", someRows(4));
  const file = join(path, "1-6-1.snapshot");
  const whole = await readFile(file);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x15;
    await writeFile(file, damaged);
    await expect(readSnapshot(folder, "1-6-1"), `byte ${at}`).rejects.toMatchObject({
      code: "RDB_DATA_CORRUPT",
    });
  }
});

test("a file that was cut anywhere is found", async () => {
  const folder = await SnapshotFolder.open(path, new Set());
  await receiveSnapshot(folder, "1-6-1", someRows(40));
  const file = join(path, "1-6-1.snapshot");
  const { length } = await readFile(file);
  for (let cut = length - 1; cut >= 0; cut -= 97) {
    const handle = await open(file, "r+");
    await handle.truncate(cut);
    await handle.close();
    await expect(readSnapshot(folder, "1-6-1"), `cut at ${cut}`).rejects.toMatchObject({
      code: "RDB_DATA_CORRUPT",
    });
  }
  await rm(file);
  await expect(readSnapshot(folder, "1-6-1")).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
});

test("an id is the name of a file", () => {
  expect(isSnapshotId("7-6-123")).toBe(true);
  expect(isSnapshotId("../x")).toBe(false);
  expect(isSnapshotId("")).toBe(false);
});

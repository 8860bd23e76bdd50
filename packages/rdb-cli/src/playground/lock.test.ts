import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { assertUnlocked, lockFolder } from "./lock.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a folder is held once, and free after its release", async () => {
  const lock = await lockFolder(folder);
  expect(lock.replacedStale).toBe(false);
  await expect(lockFolder(folder)).rejects.toMatchObject({
    code: "RDB_DATA_LOCKED",
    message: expect.stringMatching(`${folder} is in use by process ${process.pid}: .*--data`),
  });
  await lock.release();
  await (await lockFolder(folder)).release();
});

test("looking does not take it", async () => {
  await assertUnlocked(folder);
  const lock = await lockFolder(folder);
  await expect(assertUnlocked(folder)).rejects.toMatchObject({ code: "RDB_DATA_LOCKED" });
  await lock.release();
});

test("the lock of a process that is gone is replaced, and said so", async () => {
  const child = spawn(process.execPath, ["-e", "0"]);
  await once(child, "exit");
  writeFileSync(join(folder, "playground.lock"), `${child.pid} 1\n`);
  const lock = await lockFolder(folder);
  expect(lock.replacedStale).toBe(true);
  await lock.release();
});

test("a process id that another process got since does not hold the folder", async () => {
  writeFileSync(join(folder, "playground.lock"), `${process.pid} 1\n`);
  await (await lockFolder(folder)).release();
});

test("a lock file that says nothing does not hold the folder", async () => {
  writeFileSync(join(folder, "playground.lock"), "");
  await (await lockFolder(folder)).release();
});

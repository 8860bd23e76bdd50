import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@flaredb/rdb-base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDiskSpace } from "./disk-space.ts";
import { ReserveFile } from "./reserve-file.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

const SIZE_BYTES = 2.5 * MiB;
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder("reserve");
});
afterEach(() => folder.remove());

describe("ReserveFile", () => {
  it("takes up real room, and gives it back", async () => {
    const reserve = new ReserveFile({ path: folder.path, sizeBytes: SIZE_BYTES });
    expect(await reserve.isHeld()).toBe(false);
    await reserve.hold();
    expect(await reserve.isHeld()).toBe(true);
    const { size, blocks } = statSync(join(folder.path, "reserve"));
    expect(size).toBe(SIZE_BYTES);
    expect(blocks * 512).toBeGreaterThanOrEqual(SIZE_BYTES);
    await reserve.hold();
    expect(await reserve.release()).toBe(SIZE_BYTES);
    expect(await reserve.release()).toBe(0);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it("replaces a reserve of another size", async () => {
    writeFileSync(join(folder.path, "reserve"), "short");
    writeFileSync(join(folder.path, "reserve.tmp"), "left by a crash");
    const reserve = new ReserveFile({ path: folder.path, sizeBytes: SIZE_BYTES });
    expect(await reserve.isHeld()).toBe(false);
    await reserve.hold();
    expect(await reserve.isHeld()).toBe(true);
    expect(readdirSync(folder.path)).toEqual(["reserve"]);
  });

  it("leaves nothing behind when it cannot be written", async () => {
    const reserve = new ReserveFile({ path: join(folder.path, "missing"), sizeBytes: SIZE_BYTES });
    await expect(reserve.hold()).rejects.toMatchObject({ code: "ENOENT" });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it("may be none", async () => {
    const reserve = new ReserveFile({ path: folder.path, sizeBytes: 0 });
    await reserve.hold();
    expect(await reserve.isHeld()).toBe(false);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe("readDiskSpace", () => {
  it("tells the room of a folder's file system", async () => {
    const { freeBytes, totalBytes } = await readDiskSpace(folder.path);
    expect(freeBytes).toBeGreaterThan(0);
    expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
  });

  it("fails with a code where there is no folder", async () => {
    const missing = join(folder.path, "missing");
    await expect(readDiskSpace(missing)).rejects.toMatchObject({ code: "RDB_STORAGE_FAILED" });
  });
});

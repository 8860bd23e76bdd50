import { statfs } from "node:fs/promises";
import { RdbError } from "@flaredb/rdb-base";

/** Room of the file system that a folder lies on. */
export interface DiskSpace {
  /** What this process may still take. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** @throws RdbError RDB_STORAGE_FAILED when the folder cannot be asked */
export async function readDiskSpace(path: string): Promise<DiskSpace> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (cause) {
    throw new RdbError("RDB_STORAGE_FAILED", `the disk space of ${path} cannot be read: ${String(cause)}`, {
      details: { path },
      cause,
    });
  }
}

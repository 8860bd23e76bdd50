import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@flaredb/rdb-base";
import { readDiskSpace } from "@flaredb/rdb-storage";
import type { DiskUsage } from "./store-heartbeat.ts";

/** Measures the data folder and its file system. Never rejects: without an answer it says 0. */
export function diskUsageOf(path: string, logger: Logger): () => Promise<DiskUsage> {
  return async () => {
    try {
      const [space, usedBytes] = await Promise.all([readDiskSpace(path), folderBytes(path)]);
      return { capacityBytes: space.totalBytes, availableBytes: space.freeBytes, usedBytes };
    } catch (error) {
      logger.warn({ path, reason: String(error) }, "disk usage cannot be measured");
      return { capacityBytes: 0, availableBytes: 0, usedBytes: 0 };
    }
  };
}

async function folderBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) {
      bytes += await fileBytes(join(entry.parentPath, entry.name));
    }
  }
  return bytes;
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    // Compaction removed it since the folder was read.
    return 0;
  }
}

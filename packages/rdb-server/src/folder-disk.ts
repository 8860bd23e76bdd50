import { join } from "node:path";
import type { Clock, Logger } from "@flaredb/rdb-base";
import { readDiskSpace } from "@flaredb/rdb-storage";
import type { StoreConfig } from "./config.ts";
import { openEngine } from "./open-engine.ts";
import { diskUsageOf } from "./pd/disk-usage.ts";
import type { StoreDisk } from "./run-store.ts";
import { SnapshotFolder } from "./snapshot/snapshot-folder.ts";

/** The data folder of a real Store: RocksDB in it, received snapshots in `snapshots/`. */
export function folderDisk(config: StoreConfig, ports: { clock: Clock; logger: Logger }): StoreDisk {
  const { dataDir } = config;
  return {
    openEngine: (onFatal) => openEngine({ ...ports, config, onFatal }),
    openSnapshots: (inUse) => SnapshotFolder.open(join(dataDir, "snapshots"), inUse),
    freeBytes: async () => (await readDiskSpace(dataDir)).freeBytes,
    usage: diskUsageOf(dataDir, ports.logger),
  };
}

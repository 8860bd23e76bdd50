import { join } from "node:path";
import { type DiskEngine, type WrittenPass, markClusterVersion, readDiskSpace } from "@flaredb/rdb-storage";
import type { StoreConfig } from "./config.ts";
import { fillDiskGauges, fillRocksGauges } from "./metrics/disk-gauges.ts";
import type { StoreMetrics } from "./metrics/store-metrics.ts";
import { type OpenEngineOptions, openEngine } from "./open-engine.ts";
import { diskUsageOf } from "./pd/disk-usage.ts";
import type { StoreDisk } from "./run-store.ts";
import { SnapshotFolder } from "./snapshot/snapshot-folder.ts";

type FolderDiskPorts = Pick<OpenEngineOptions, "clock" | "logger" | "interpose"> & {
  readonly metrics: StoreMetrics;
};

/** The data folder of a real Store: RocksDB in it, received snapshots in `snapshots/`. */
export function folderDisk(config: StoreConfig, ports: FolderDiskPorts): StoreDisk {
  const { dataDir } = config;
  const { metrics } = ports;
  let engine: DiskEngine | undefined;
  return {
    openEngine: async (onFatal) => {
      engine = await openEngine({ ...ports, config, onFatal, onPass: (pass) => notePass(metrics, pass) });
      return engine;
    },
    openSnapshots: (inUse) => SnapshotFolder.open(join(dataDir, "snapshots"), inUse),
    freeBytes: async () => (await readDiskSpace(dataDir)).freeBytes,
    noteClusterVersion: (version) => markClusterVersion(dataDir, version),
    usage: diskUsageOf(dataDir, ports.logger),
    fillGauges: async () => {
      const { freeBytes, totalBytes } = await readDiskSpace(dataDir);
      fillDiskGauges(metrics, { availableBytes: freeBytes, capacityBytes: totalBytes });
      if (engine !== undefined) {
        fillRocksGauges(metrics, await engine.statistics());
      }
    },
  };
}

function notePass(metrics: StoreMetrics, { tookMs, syncMs, partCount, sizeBytes }: WrittenPass): void {
  metrics.passLatency.observeMs(tookMs);
  metrics.passParts.observe(partCount);
  metrics.passBytes.observe(sizeBytes);
  if (syncMs !== undefined) {
    metrics.syncLatency.observeMs(syncMs);
  }
}

import type { RocksStatistics } from "@flaredb/rdb-storage";
import type { DiskUsage } from "../pd/store-heartbeat.ts";
import type { StoreMetrics } from "./store-metrics.ts";

/** Sets the gauges of what RocksDB and its files say. */
export function fillRocksGauges(metrics: StoreMetrics, statistics: RocksStatistics): void {
  metrics.rocksWal.value = statistics.walBytes;
  metrics.rocksTables.value = statistics.tableBytes;
  metrics.rocksTableFiles.value = statistics.tableFileCount;
  metrics.rocksRunning.flush.value = statistics.runningFlushes;
  metrics.rocksRunning.compaction.value = statistics.runningCompactions;
  metrics.rocksErrors.value = statistics.backgroundErrors;
  metrics.rocksStopped.value = statistics.isWriteStopped ? 1 : 0;
  metrics.rocksDelayed.value = statistics.delayedWriteBytes;
}

/** Sets the gauges of the file system. */
export function fillDiskGauges(
  metrics: StoreMetrics,
  space: Pick<DiskUsage, "availableBytes" | "capacityBytes">,
): void {
  metrics.diskFree.value = space.availableBytes;
  metrics.diskCapacity.value = space.capacityBytes;
}

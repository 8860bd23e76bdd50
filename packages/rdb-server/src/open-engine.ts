import { type Clock, type Logger, type RdbError, hasCode } from "@flaredb/rdb-base";
import {
  type DiskEngine,
  ReserveFile,
  type RocksEngineOptions,
  type WrittenPass,
  openRocksEngine,
  readDiskSpace,
} from "@flaredb/rdb-storage";
import type { StoreConfig } from "./config.ts";

export interface OpenEngineOptions {
  readonly config: Pick<StoreConfig, "dataDir" | "engine" | "disk">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A write or sync failed: nothing is acknowledged any more. */
  readonly onFatal: (error: RdbError) => void;
  /** See `openRocksEngine`. */
  readonly interpose?: RocksEngineOptions["interpose"] | undefined;
  /** Hears of each pass of the writer. */
  readonly onPass?: ((pass: WrittenPass) => void) | undefined;
}

/**
 * Opens the Store's database; on a disk that is too full for that, once more with the reserve's room.
 *
 * @throws RdbError as `openRocksEngine`
 */
export async function openEngine(options: OpenEngineOptions): Promise<DiskEngine> {
  try {
    return await open(options);
  } catch (error) {
    if (!hasCode(error, "RDB_STORAGE_FAILED") || (await reserveOf(options).release()) === 0) {
      throw error;
    }
    options.logger.warn({ reason: error.message }, "the disk reserve was given up to open the database");
    return open(options);
  }
}

/** Takes up the reserve's room if there is plenty. Never rejects: without it the Store only lacks a spare. */
export async function holdReserve(options: OpenEngineOptions): Promise<void> {
  const { config, logger } = options;
  try {
    const { freeBytes } = await readDiskSpace(config.dataDir);
    if (freeBytes >= config.disk.fullDiskBytes + config.disk.reserveBytes) {
      await reserveOf(options).hold();
    }
  } catch (error) {
    logger.warn({ reason: String(error) }, "the disk reserve cannot be made");
  }
}

function open({ config, clock, onFatal, onPass, interpose }: OpenEngineOptions): Promise<DiskEngine> {
  const { blockCacheBytes, rowCacheBytes, dataMemtableBytes, logMemtableBytes } = config.engine;
  return openRocksEngine({
    path: config.dataDir,
    clock,
    onFatal,
    ...(interpose === undefined ? {} : { interpose }),
    onPass,
    blockCacheBytes,
    rowCacheBytes,
    memtableBytes: { data: dataMemtableBytes, raft_log: logMemtableBytes },
  });
}

function reserveOf({ config }: OpenEngineOptions): ReserveFile {
  return new ReserveFile({ path: config.dataDir, sizeBytes: config.disk.reserveBytes });
}

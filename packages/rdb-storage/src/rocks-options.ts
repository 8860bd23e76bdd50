import { KiB, MiB } from "@flaredb/rdb-base";
import { type Column, columns } from "./column.ts";
import type { ColumnOptions, DatabaseOptions } from "./rocks-binding.ts";

/** What may be set of a database on disk. Sizes in bytes. */
export interface RocksOptions {
  /** Cache of the data family's blocks, indexes and filters. Default 64 MiB. */
  readonly blockCacheBytes?: number;
  /**
   * Memtables of each family: two of a quarter of this before a flush, six at worst before writes stall. Default:
   * 32 MiB for data, 16 MiB for the log, little for the others. At least 256 KiB, which RocksDB rounds up to.
   */
  readonly memtableBytes?: Partial<Record<Column, number>>;
  /** Threads that flush and compact. Default 2. */
  readonly backgroundThreads?: number;
}

/** RocksDB's smallest memtable is 64 KiB, a quarter of this. */
export const MEMTABLE_MIN_BYTES = 256 * KiB;

// The write-ahead log is bounded by 4 x 6 x a quarter of the sum of these: 330 MiB. The binding cannot set it.
const defaultMemtableBytes: Record<Column, number> = {
  raft_log: 16 * MiB,
  raft_state: 1 * MiB,
  region: 2 * MiB,
  session: 4 * MiB,
  data: 32 * MiB,
  meta: MEMTABLE_MIN_BYTES,
};

const DEFAULT_BLOCK_CACHE_BYTES = 64 * MiB;
/** Each other family's cache: their rows are few, or read once and from memory. */
const SMALL_CACHE_BYTES = 4 * MiB;
const DEFAULT_BACKGROUND_THREADS = 2;

/** The binding's options for a Store's database. */
export function databaseOptions(options: RocksOptions): DatabaseOptions {
  const families: Record<string, ColumnOptions> = {
    // RocksDB insists on it; nothing is written there.
    default: familyOptions(MEMTABLE_MIN_BYTES, SMALL_CACHE_BYTES, 4 * KiB),
  };
  for (const column of columns) {
    const memtable = options.memtableBytes?.[column] ?? defaultMemtableBytes[column];
    families[column] =
      column === "data"
        ? familyOptions(memtable, options.blockCacheBytes ?? DEFAULT_BLOCK_CACHE_BYTES, 16 * KiB)
        : familyOptions(memtable, SMALL_CACHE_BYTES, 4 * KiB);
  }
  return {
    ...(families["default"] as ColumnOptions),
    columns: families,
    createIfMissing: true,
    parallelism: options.backgroundThreads ?? DEFAULT_BACKGROUND_THREADS,
    walCompression: false,
  };
}

function familyOptions(memtableBytes: number, cacheBytes: number, blockBytes: number): ColumnOptions {
  return {
    compaction: "level",
    memtableMemoryBudget: Math.max(memtableBytes, MEMTABLE_MIN_BYTES),
    cacheSize: cacheBytes,
    // Counted in the cache, so that indexes and filters of a large database stay bounded too.
    cacheIndexAndFilterBlocks: true,
    blockSize: blockBytes,
    // With "level", levels from the second on use zstd whatever this says; true would add dictionaries, which hold
    // a whole file in memory while it is written.
    compression: false,
  };
}

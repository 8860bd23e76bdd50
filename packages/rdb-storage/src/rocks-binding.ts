import { createRequire } from "node:module";
import { RdbError } from "@flaredb/rdb-base";

// The only file that knows the RocksDB binding. It uses the binding's functions rather than its classes: those add
// an abstraction for many databases to each call, and read the loop's hot path through it.

declare const opaque: unique symbol;
/** A database as the binding knows it; one for each thread that uses it. */
export type DatabaseHandle = { readonly [opaque]: "database" };
export type ColumnHandle = { readonly [opaque]: "column" };
export type IteratorHandle = { readonly [opaque]: "iterator" };
export type BatchHandle = { readonly [opaque]: "batch" };

/** Options of one column family. Sizes in bytes. */
export interface ColumnOptions {
  /** "level": memtables of a quarter, files of an eighth and a first level of the whole `memtableMemoryBudget`. */
  readonly compaction: "level";
  readonly memtableMemoryBudget: number;
  /** The block cache of this family. */
  readonly cacheSize: number;
  readonly cacheIndexAndFilterBlocks: boolean;
  readonly blockSize: number;
  /** Only adds dictionaries; levels from the second on are compressed anyway, see rocks-options.ts. */
  readonly compression: boolean;
}

export interface DatabaseOptions extends ColumnOptions {
  readonly columns: Readonly<Record<string, ColumnOptions>>;
  readonly createIfMissing: boolean;
  readonly errorIfExists?: boolean;
  readonly parallelism: number;
  /** On unless told otherwise. */
  readonly walCompression: boolean;
}

interface IteratorOptions {
  readonly column: ColumnHandle;
  readonly reverse: boolean;
  readonly keys: true;
  readonly values: boolean;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  /** `iterator_nextv` ends a page with the row that goes past this. */
  readonly highWaterMarkBytes: number;
  readonly keyEncoding: "buffer";
  readonly valueEncoding: "buffer";
  readonly fillCache: boolean;
}

/** Keys and values by turns; a value is undefined when values were not asked for. */
export interface IteratorPage {
  readonly rows: readonly (Buffer | undefined)[];
  readonly finished: boolean;
}

type Callback<T> = (error: Error | null, result: T) => void;
type ColumnHandles = Readonly<Record<string, ColumnHandle>>;

/** The part of the binding that FlareDB uses. A `sync` suffix, `batch_write` and `db_clear` block the thread. */
export interface RocksBinding {
  /** By location; or by the handle of a database that another thread has opened. */
  db_init(locationOrHandle: string | bigint): DatabaseHandle;
  /** Calls back when it opened; returns the columns at once when another thread had. */
  db_open(
    db: DatabaseHandle,
    options: DatabaseOptions | Record<string, never>,
    callback: Callback<ColumnHandles>,
  ): ColumnHandles | undefined;
  db_get_handle(db: DatabaseHandle): bigint;
  db_close(db: DatabaseHandle, callback: Callback<undefined>): void;
  db_get_many_sync(
    db: DatabaseHandle,
    keys: readonly Uint8Array[],
    options: { readonly column: ColumnHandle },
  ): (Buffer | undefined)[];
  /** Deletes a range: not synced. Without `lt` it writes an end key of a megabyte. */
  db_clear(
    db: DatabaseHandle,
    options: { readonly column: ColumnHandle; readonly gte?: Uint8Array; readonly lt: Uint8Array },
  ): void;
  db_get_property(db: DatabaseHandle, property: string): string;
  /** Also seeks to the first row, on this thread. */
  iterator_init(db: DatabaseHandle, options: IteratorOptions): IteratorHandle;
  iterator_nextv(iterator: IteratorHandle, count: number, callback: Callback<IteratorPage>): void;
  iterator_nextv_sync(iterator: IteratorHandle, count: number): IteratorPage;
  /** Not while an `iterator_nextv` is under way. */
  iterator_close(iterator: IteratorHandle): void;
  batch_init(): BatchHandle;
  batch_put(
    batch: BatchHandle,
    key: Uint8Array,
    value: Uint8Array,
    options: { readonly column: ColumnHandle },
  ): void;
  batch_del(batch: BatchHandle, key: Uint8Array, options: { readonly column: ColumnHandle }): void;
  batch_clear(batch: BatchHandle): void;
  batch_write(db: DatabaseHandle, batch: BatchHandle, options: { readonly sync: boolean }): void;
}

const require = createRequire(import.meta.url);

export const rocks = require("rocksdb/binding.js") as RocksBinding;

/** A database that another thread has opened, for this thread. */
export function attach(handle: bigint): { readonly db: DatabaseHandle; readonly columns: ColumnHandles } {
  const db = rocks.db_init(handle);
  const columns = rocks.db_open(db, {}, () => {});
  if (columns === undefined) {
    throw new RdbError("RDB_INTERNAL", "the database was closed before a thread could share it");
  }
  return { db, columns };
}

export function isCorruption(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "LEVEL_CORRUPTION";
}

/** What a failed read means: RDB_DATA_CORRUPT for a checksum that does not fit, else RDB_STORAGE_FAILED. */
export function readError(error: unknown): RdbError {
  const reason = error instanceof Error ? error.message : String(error);
  return isCorruption(error)
    ? new RdbError("RDB_DATA_CORRUPT", `a read found damaged data: ${reason}`, { cause: error })
    : new RdbError("RDB_STORAGE_FAILED", `a read failed: ${reason}`, { cause: error });
}

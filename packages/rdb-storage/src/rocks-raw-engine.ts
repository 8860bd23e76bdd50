import { type KeyRange, RdbError } from "@flaredb/rdb-base";
import type { EncodedBatch } from "./batch-codec.ts";
import { type Column, columns } from "./column.ts";
import type { CursorOptions } from "./engine.ts";
import type { RawEngine, RawIterator, WriteOutcome } from "./raw-engine.ts";
import {
  type ColumnHandle,
  type DatabaseHandle,
  type DatabaseOptions,
  readError,
  rocks,
} from "./rocks-binding.ts";
import { RocksIterator } from "./rocks-iterator.ts";
import { ThreadReader } from "./thread-reader.ts";
import { ThreadWriter } from "./thread-writer.ts";
import type { SharedDatabase } from "./writer-protocol.ts";

type ColumnReads = Readonly<Record<Column, { readonly column: ColumnHandle }>>;

/** RocksDB under the {@link RawEngine} port: point reads and iterators here, writes and cold reads on threads. */
export class RocksRawEngine implements RawEngine {
  readonly #db: DatabaseHandle;
  readonly #reads: ColumnReads;
  readonly #writer: ThreadWriter;
  readonly #shared: SharedDatabase;
  /** Started by the first cold read: a thread takes about 10 MiB. */
  #reader: ThreadReader | undefined;
  readonly #iterators = new Set<RocksIterator>();
  #onIteratorsClosed: (() => void) | undefined;

  private constructor(db: DatabaseHandle, handles: Readonly<Record<string, ColumnHandle>>, location: string) {
    this.#db = db;
    this.#reads = Object.fromEntries(
      columns.map((column) => [column, { column: handles[column] as ColumnHandle }]),
    ) as ColumnReads;
    this.#shared = { handle: rocks.db_get_handle(db) };
    this.#writer = new ThreadWriter(this.#shared, location);
  }

  /** Opens the database in `location`, or makes it. @throws the binding's error, for whoever knows the folder */
  static async open(location: string, options: DatabaseOptions): Promise<RocksRawEngine> {
    const db = rocks.db_init(location);
    const handles = await new Promise<Readonly<Record<string, ColumnHandle>>>((resolve, reject) => {
      rocks.db_open(db, options, (error, opened) => (error === null ? resolve(opened) : reject(error)));
    });
    return new RocksRawEngine(db, handles, location);
  }

  get(column: Column, key: Uint8Array): Uint8Array | undefined {
    try {
      return rocks.db_get_many_sync(this.#db, [key], this.#reads[column])[0];
    } catch (error) {
      throw readError(error);
    }
  }

  getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#reader ??= new ThreadReader(this.#shared);
    return this.#reader.getMany(column, keys);
  }

  openIterator(column: Column, range: KeyRange, options: CursorOptions): RawIterator {
    const iterator = new RocksIterator(this.#db, this.#reads[column].column, range, options, () => {
      this.#iterators.delete(iterator);
      if (this.#iterators.size === 0) {
        this.#onIteratorsClosed?.();
      }
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  write(batch: EncodedBatch, sync: boolean, done: (outcome: WriteOutcome) => void): void {
    this.#writer.write(batch, sync, done);
  }

  deleteRange(column: Column, range: KeyRange, done: (outcome: WriteOutcome) => void): void {
    this.#writer.deleteRange(column, range, done);
  }

  /** A property of RocksDB, such as `rocksdb.stats`; empty when there is none of this name. */
  property(name: string): string {
    return rocks.db_get_property(this.#db, name);
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.stop(), this.#reader?.stop(), this.#iteratorsClosed()]);
    await new Promise<void>((resolve, reject) => {
      rocks.db_close(this.#db, (error) =>
        error === null ? resolve() : reject(RdbError.from(error, "RDB_STORAGE_FAILED")),
      );
    });
  }

  #iteratorsClosed(): Promise<void> {
    for (const iterator of this.#iterators) {
      iterator.close();
    }
    if (this.#iterators.size === 0) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#onIteratorsClosed = resolve;
    });
  }
}

import type { KeyRange, RdbError } from "@flaredb/rdb-base";
import type { EncodedBatch } from "./batch-codec.ts";
import type { Column } from "./column.ts";
import type { CursorOptions, Row } from "./engine.ts";

/** A walk over what the database held when it was opened. One `next` at a time. */
export interface RawIterator {
  /**
   * Some of the next rows, at most `maxCount`; none only when `done`.
   *
   * @throws RdbError RDB_DATA_CORRUPT when a checksum does not fit
   */
  next(maxCount: number): Promise<{ readonly rows: readonly Row[]; readonly done: boolean }>;
  /** Idempotent; a `next` under way still answers. */
  close(): void;
}

/** How a write ended. */
export interface WriteOutcome {
  /** RDB_STORAGE_FAILED: it is not known what of it reached the disk. */
  readonly error: RdbError | undefined;
  /** Time of the write itself, where it was measured. */
  readonly writeMs?: number | undefined;
  /** The batch's buffer, if it may be used again. */
  readonly buffer?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * The narrow port under {@link StreamEngine}: a database as it is on disk. At most one `write` or `deleteRange` is
 * under way at a time; StreamEngine sees to it.
 */
export interface RawEngine {
  /** @throws RdbError RDB_DATA_CORRUPT when a checksum does not fit */
  get(column: Column, key: Uint8Array): Uint8Array | undefined;
  /** Off the loop; see `Engine.getMany`. @throws RdbError RDB_DATA_CORRUPT when a checksum does not fit */
  getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** Shows the database as it is at this moment. */
  openIterator(column: Column, range: KeyRange, options: CursorOptions): RawIterator;
  /**
   * Writes off the loop, all or nothing. The buffer belongs to the engine from now on.
   *
   * @param sync `done` means that this and everything written before it is durable
   * @param done called once, never within `write`
   */
  write(batch: EncodedBatch, sync: boolean, done: (outcome: WriteOutcome) => void): void;
  /** Deletes the rows of a range off the loop, without sync. */
  deleteRange(column: Column, range: KeyRange, done: (outcome: WriteOutcome) => void): void;
  /** Called when nothing is under way but reads; those still answer. */
  close(): Promise<void>;
}

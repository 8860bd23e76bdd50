import type { KeyRange } from "@flaredb/rdb-base";
import type { Column } from "./column.ts";
import type { WritePart } from "./write-part.ts";

/** A key and its value. The bytes belong to the engine: read, never write. */
export interface Row {
  readonly key: Uint8Array;
  /** Empty when the cursor was opened with `keysOnly`. */
  readonly value: Uint8Array;
}

export interface CursorOptions {
  /** From the end of the range to its start. Default false. */
  readonly reverse?: boolean;
  /** Default false. */
  readonly keysOnly?: boolean;
}

/** A walk over a range, which shows exactly what had been submitted when it was opened. Must be closed. */
export interface Cursor {
  /**
   * The next rows: at most `maxCount`, and no further row once `maxBytes` of keys and values are reached (so at
   * least one, if there is one). One call at a time.
   *
   * @throws RdbError RDB_DATA_CORRUPT when a checksum does not fit
   */
  next(
    maxCount: number,
    maxBytes: number,
  ): Promise<{ readonly rows: readonly Row[]; readonly done: boolean }>;
  /** Frees what it holds. Idempotent; a `next` under way still answers. */
  close(): void;
}

/**
 * A Store's database: ordered byte keys in column families, written through one ordered stream (DESIGN §3).
 *
 * Everything submitted is visible to `get` and `openCursor` at once and exactly: the part that the writer has not
 * reached yet is kept in memory, bounded by whoever submits (see `unwrittenBytes`). A crash leaves a prefix of
 * the stream that holds at least every part whose `onWritten` was called with `sync`.
 */
export interface Engine {
  /** Does not wait for the writer. May read the disk: on the loop, only for what is likely to be cached. */
  get(column: Column, key: Uint8Array): Uint8Array | undefined;
  /**
   * Reads off the loop. Each value is the one at some moment between the call and the answer; a row that was
   * already submitted at the call is seen.
   *
   * @returns the values of the first keys: of all, unless they are too much for one answer (some tens of MiB); of one
   * at least. The caller asks for the others when it is done with these.
   * @throws RdbError RDB_DATA_CORRUPT when a checksum does not fit
   */
  getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * Opens a cursor on what is submitted now. Does not wait for the writer. On disk it finds the first row at once:
   * some 15 us in memory, a read for each level of the tree when it is cold. The rows are read off the loop.
   */
  openCursor(column: Column, range: KeyRange, options?: CursorOptions): Cursor;
  /**
   * Appends a part to the stream. The part must not be changed afterwards.
   *
   * @param onWritten called later, in the order of submission, never within `submit`: the part, and all before it,
   * is in the database, and durable if this part or a later one of the same pass asked for sync
   */
  submit(part: WritePart, onWritten?: () => void): void;
  /**
   * Nothing more is submitted now that should share the pass: it begins at once, unless one is under way, and not after
   * the next round of IO.
   */
  beginPass(): void;
  /** A step of its own in the stream: deletes every row of the range. Not synced by itself. */
  deleteRange(column: Column, range: KeyRange, onWritten?: () => void): void;
  /** Bytes submitted and not yet written. */
  readonly unwrittenBytes: number;
  /**
   * How long the disk has been at the write, and sync, under way, in ms; 0 when none is. A backlog alone does not make
   * it rise: what waits behind a busy disk is no sign that it stalls.
   */
  passAgeMs(): number;
  /** Resolves once everything that is submitted now is written and synced. */
  flush(): Promise<void>;
  /** Flushes, then frees the database for other processes. Idempotent. */
  close(): Promise<void>;
}

import type { KeyRange } from "@flaredb/rdb-base";
import type { CursorOptions, Row } from "./engine.ts";
import type { RawIterator } from "./raw-engine.ts";
import {
  type ColumnHandle,
  type DatabaseHandle,
  type IteratorHandle,
  type IteratorPage,
  readError,
  rocks,
} from "./rocks-binding.ts";

/** A page ends with the row that goes past this, so that the loop copies little at a time. */
const PAGE_MAX_BYTES = 256 * 1024;
const NO_VALUE = new Uint8Array(0);

/** A native iterator whose pages are read on the thread pool. */
export class RocksIterator implements RawIterator {
  readonly #iterator: IteratorHandle;
  readonly #onClosed: () => void;
  #busy = false;
  #closeAsked = false;
  #closed = false;

  /** @param onClosed called once, when nothing native is held any more */
  constructor(
    db: DatabaseHandle,
    column: ColumnHandle,
    range: KeyRange,
    options: CursorOptions,
    onClosed: () => void,
  ) {
    this.#iterator = rocks.iterator_init(db, {
      column,
      reverse: options.reverse ?? false,
      keys: true,
      values: options.keysOnly !== true,
      ...(range.startKey.length > 0 ? { gte: range.startKey } : {}),
      ...(range.endKey.length > 0 ? { lt: range.endKey } : {}),
      highWaterMarkBytes: PAGE_MAX_BYTES,
      keyEncoding: "buffer",
      valueEncoding: "buffer",
      // A long walk must not push the hot rows out; and RocksDB's read-ahead serves it without the cache.
      fillCache: false,
    });
    this.#onClosed = onClosed;
  }

  next(maxCount: number): Promise<{ rows: readonly Row[]; done: boolean }> {
    if (this.#closeAsked || this.#busy) {
      return Promise.reject(new Error("a cursor is read one call at a time, and not after close"));
    }
    this.#busy = true;
    return new Promise((resolve, reject) => {
      rocks.iterator_nextv(this.#iterator, maxCount, (error, page) => {
        this.#busy = false;
        if (this.#closeAsked) {
          this.#free();
        }
        if (error !== null) {
          reject(readError(error));
        } else {
          resolve({ rows: rowsOf(page), done: page.finished });
        }
      });
    });
  }

  close(): void {
    this.#closeAsked = true;
    if (!this.#busy) {
      this.#free();
    }
  }

  #free(): void {
    if (!this.#closed) {
      this.#closed = true;
      rocks.iterator_close(this.#iterator);
      this.#onClosed();
    }
  }
}

function rowsOf(page: IteratorPage): readonly Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < page.rows.length; i += 2) {
    rows.push({ key: page.rows[i] as Buffer, value: page.rows[i + 1] ?? NO_VALUE });
  }
  return rows;
}

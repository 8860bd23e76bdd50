import { crc32 } from "node:zlib";
import { assert } from "@flaredb/rdb-base";
import type { Cursor } from "./engine.ts";
import {
  SNAPSHOT_CHUNK_MAX_BYTES,
  type SnapshotChunk,
  type SnapshotRow,
  concatenate,
  encodeRows,
} from "./snapshot-chunk.ts";

/** Rows read from a cursor at a time. */
const PAGE_MAX_COUNT = 512;

/** Cuts what two cursors show into chunks: the sender's side. */
export class SnapshotChunkWriter {
  readonly #cursors: readonly { readonly column: SnapshotRow["column"]; readonly cursor: Cursor }[];
  readonly #chunkMaxBytes: number;
  #source = 0;
  /** Encoded and not yet in a chunk. */
  #pending: Uint8Array = new Uint8Array(0);
  #index = 0;
  #checksum = 0;
  #ended = false;
  #sizeBytes = 0;

  /** @param cursors opened in one turn; closed by {@link SnapshotChunkWriter.close} */
  constructor(
    cursors: { readonly data: Cursor; readonly session: Cursor },
    chunkMaxBytes: number = SNAPSHOT_CHUNK_MAX_BYTES,
  ) {
    assert(chunkMaxBytes >= 1, "a chunk may hold at least a byte");
    this.#cursors = [
      { column: "data", cursor: cursors.data },
      { column: "session", cursor: cursors.session },
    ];
    this.#chunkMaxBytes = chunkMaxBytes;
  }

  /** The bytes of all chunks so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The next chunk; undefined after the last. @throws RdbError RDB_DATA_CORRUPT when a row cannot be read */
  async next(): Promise<SnapshotChunk | undefined> {
    if (this.#ended) {
      return undefined;
    }
    while (this.#pending.length < this.#chunkMaxBytes && this.#source < this.#cursors.length) {
      await this.#fill();
    }
    const data = this.#pending.slice(0, this.#chunkMaxBytes);
    this.#pending = this.#pending.subarray(data.length);
    this.#checksum = crc32(data, this.#checksum);
    this.#sizeBytes += data.length;
    this.#ended = this.#pending.length === 0 && this.#source === this.#cursors.length;
    return { index: this.#index++, data, crc32: this.#checksum, last: this.#ended };
  }

  close(): void {
    this.#ended = true;
    for (const { cursor } of this.#cursors) {
      cursor.close();
    }
  }

  async #fill(): Promise<void> {
    const source = this.#cursors[this.#source];
    assert(source !== undefined, "there is a source left");
    const { rows, done } = await source.cursor.next(PAGE_MAX_COUNT, this.#chunkMaxBytes);
    this.#pending = concatenate(this.#pending, encodeRows(source.column, rows));
    if (done) {
      this.#source++;
    }
  }
}

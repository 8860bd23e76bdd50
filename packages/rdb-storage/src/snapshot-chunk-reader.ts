import { crc32 } from "node:zlib";
import { RdbError, type Region, keyInRange } from "@flaredb/rdb-base";
import { regionKeyRange } from "./key-codec.ts";
import { type SnapshotChunk, type SnapshotRow, concatenate, decodeRows } from "./snapshot-chunk.ts";

/** Checks chunks and brings their rows back: the receiver's side. */
export class SnapshotChunkReader {
  readonly #region: Region;
  /** The beginning of a row that the next chunk goes on with. */
  #rest: Uint8Array = new Uint8Array(0);
  #nextIndex = 0;
  #checksum = 0;
  #complete = false;

  constructor(region: Region) {
    this.#region = region;
  }

  /** The chunk that is accepted next: where a transfer goes on that was interrupted. */
  get nextIndex(): number {
    return this.#nextIndex;
  }

  /** Whether the last chunk was accepted. */
  get isComplete(): boolean {
    return this.#complete;
  }

  /**
   * The rows that the chunk completes; views of it, or copies.
   *
   * @throws RdbError RDB_DATA_CORRUPT with `chunkIndex`: out of order, damaged, empty without being the last, or
   * with a row that is another Region's or longer than any. The chunk was not accepted; after rows of another Region nothing is.
   */
  accept(chunk: SnapshotChunk): readonly SnapshotRow[] {
    if (this.#complete || chunk.index !== this.#nextIndex) {
      const expected = this.#complete ? "no further chunk" : `chunk ${this.#nextIndex}`;
      return this.#refuse(chunk, `came where ${expected} was expected`);
    }
    const checksum = crc32(chunk.data, this.#checksum);
    if (checksum !== chunk.crc32) {
      return this.#refuse(chunk, "is damaged: its checksum does not fit");
    }
    if (chunk.data.length === 0 && !chunk.last) {
      return this.#refuse(chunk, "is empty, and not the last");
    }
    const content = concatenate(this.#rest, chunk.data);
    const rows: SnapshotRow[] = [];
    const end = decodeRows(content, rows);
    if (end === undefined) {
      return this.#refuse(chunk, "begins a row that is longer than any is");
    }
    const foreign = rows.find((row) => !this.#belongs(row));
    if (foreign !== undefined) {
      return this.#refuse(chunk, `holds a row of column ${foreign.column} that is outside the region`);
    }
    if (chunk.last && end !== content.length) {
      return this.#refuse(chunk, `is the last and ends with ${content.length - end} bytes of a row`);
    }
    this.#rest = content.slice(end);
    this.#checksum = checksum;
    this.#nextIndex++;
    this.#complete = chunk.last;
    return rows;
  }

  #belongs({ column, key }: SnapshotRow): boolean {
    return keyInRange(key, column === "data" ? this.#region : regionKeyRange(this.#region.id));
  }

  #refuse(chunk: SnapshotChunk, problem: string): never {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `chunk ${chunk.index} of a snapshot of region ${this.#region.id} ${problem}`,
      { details: { regionId: this.#region.id, chunkIndex: chunk.index } },
    );
  }
}

/**
 * Rows of a snapshot in batches of at most `maxBytes`, or of one row that is larger.
 *
 * @throws RdbError RDB_DATA_CORRUPT as {@link SnapshotChunkReader.accept}, or when the last chunk does not come
 */
export async function* snapshotRowBatches(
  chunks: AsyncIterable<SnapshotChunk>,
  region: Region,
  maxBytes: number,
): AsyncGenerator<readonly SnapshotRow[], void, undefined> {
  const reader = new SnapshotChunkReader(region);
  let batch: SnapshotRow[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    for (const row of reader.accept(chunk)) {
      const size = row.key.length + row.value.length;
      if (bytes + size > maxBytes && batch.length > 0) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(row);
      bytes += size;
    }
  }
  if (!reader.isComplete) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `a snapshot of region ${region.id} ends with chunk ${reader.nextIndex - 1}, which is not its last`,
      { details: { regionId: region.id, chunkIndex: reader.nextIndex } },
    );
  }
  if (batch.length > 0) {
    yield batch;
  }
}

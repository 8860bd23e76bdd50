import { crc32 } from "node:zlib";
import { MiB, RdbError, type Region, assert, keyInRange } from "@flaredb/rdb-base";
import { FlatBatch } from "./batch-codec.ts";
import { columnNumbers } from "./column.ts";
import type { Cursor, Row } from "./engine.ts";
import { regionKeyRange } from "./key-codec.ts";

/** Default of how large a chunk gets. */
export const SNAPSHOT_CHUNK_MAX_BYTES = 1 * MiB;
/** Rows read from a cursor at a time. */
const PAGE_MAX_COUNT = 512;

// A snapshot's content is one sequence of rows, cut into chunks anywhere, so that a chunk is bounded whatever the
// rows are. A row is encoded as a put in a FlatBatch: column number, key length, value length (u32, little endian),
// key, value.
const ROW_HEADER_BYTES = 9;

/** A piece of a Region's content on its way to another Store. */
export interface SnapshotChunk {
  /** From 0, without gaps. */
  readonly index: number;
  readonly data: Uint8Array;
  /** CRC-32 of the data of all chunks up to and with this one, so that it also proves their order. */
  readonly crc32: number;
  readonly last: boolean;
}

/** A row of a Region: its data, or the answers that it remembers. */
export interface SnapshotRow {
  readonly column: "data" | "session";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

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
   * @throws RdbError RDB_DATA_CORRUPT with `chunkIndex`: out of order, damaged, or with rows of another Region. The
   * chunk was not accepted; after rows of another Region nothing is.
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
    const content = concatenate(this.#rest, chunk.data);
    const rows: SnapshotRow[] = [];
    const end = decodeRows(content, rows);
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

function encodeRows(column: SnapshotRow["column"], rows: readonly Row[]): Uint8Array {
  const batch = new FlatBatch();
  for (const { key, value } of rows) {
    batch.add(column, key, value);
  }
  const { buffer, length } = batch.take();
  return buffer.subarray(0, length);
}

/** Adds the whole rows of `content` to `rows`. @returns where they end */
function decodeRows(content: Uint8Array, rows: SnapshotRow[]): number {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let offset = 0;
  while (offset + ROW_HEADER_BYTES <= content.length) {
    const keyStart = offset + ROW_HEADER_BYTES;
    const valueStart = keyStart + view.getUint32(offset + 1, true);
    const end = valueStart + view.getUint32(offset + 5, true);
    if (end > content.length) {
      break;
    }
    rows.push({
      column: content[offset] === columnNumbers.session ? "session" : "data",
      key: content.subarray(keyStart, valueStart),
      value: content.subarray(valueStart, end),
    });
    offset = end;
  }
  return offset;
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) {
    return b;
  }
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

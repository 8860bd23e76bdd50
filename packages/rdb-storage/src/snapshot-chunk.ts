import { MiB, limits } from "@flaredb/rdb-base";
import { FlatBatch } from "./batch-codec.ts";
import { columnNumbers } from "./column.ts";
import type { Row } from "./engine.ts";

/** Default of how large a chunk gets. */
export const SNAPSHOT_CHUNK_MAX_BYTES = 1 * MiB;

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

/** Rows as a snapshot's content. */
export function encodeRows(column: SnapshotRow["column"], rows: readonly Row[]): Uint8Array {
  const batch = new FlatBatch();
  for (const { key, value } of rows) {
    batch.add(column, key, value);
  }
  const { buffer, length } = batch.take();
  return buffer.subarray(0, length);
}

/** Longer than any row: a user's largest value, and the answers to the writes of one entry, are less. */
const ROW_MAX_BYTES = limits.messageMaxBytes;

/**
 * Adds the whole rows of `content` to `rows`.
 *
 * @returns where they end; undefined when a row is longer than any is
 */
export function decodeRows(content: Uint8Array, rows: SnapshotRow[]): number | undefined {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let offset = 0;
  while (offset + ROW_HEADER_BYTES <= content.length) {
    const keyStart = offset + ROW_HEADER_BYTES;
    const valueStart = keyStart + view.getUint32(offset + 1, true);
    const end = valueStart + view.getUint32(offset + 5, true);
    if (end - offset > ROW_MAX_BYTES) {
      return undefined;
    }
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

export function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) {
    return b;
  }
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

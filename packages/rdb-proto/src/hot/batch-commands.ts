import type { BatchGetRequest, BatchPutRequest, KeyValue, Row } from "../gen/rdb/v1/kv_service_pb.ts";
import { type BackwardWriter, VARINT_MAX_BYTES } from "./backward-writer.ts";
import { PUT_OVERHEAD_BYTES, readPair, writePut } from "./point-commands.ts";
import { type ProtoReader, tag } from "./proto-reader.ts";

// What a request or an answer has many of: rows and keys, read and written by hand wherever they stand. Such a message
// has little else, so each field counts.

const NO_BYTES = new Uint8Array(0);
const KEY = tag.bytes(1);
const VALUE = tag.bytes(2);
const VERSION = tag.varint(3);
const ITEMS = tag.bytes(1);

/** Of a row beside its key and value: that of a put, and its version. */
const ROW_OVERHEAD_BYTES = PUT_OVERHEAD_BYTES + 1 + VARINT_MAX_BYTES;
/** Of a list of them: a tag and a length, of the list and of each item. */
const ITEM_OVERHEAD_BYTES = 1 + VARINT_MAX_BYTES;

/** A row of an answer. A small one shares memory with its neighbours, and not with the message. */
export function readRow(reader: ProtoReader): Row {
  let key: Uint8Array = NO_BYTES;
  let value: Uint8Array = NO_BYTES;
  let version = 0;
  const outerEnd = reader.enter();
  const isCopied = reader.copyNested();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === KEY) {
      key = isCopied ? reader.copiedBytes() : reader.bytes();
    } else if (next === VALUE) {
      value = isCopied ? reader.copiedBytes() : reader.bytes();
    } else if (next === VERSION) {
      version = reader.number();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.Row", key, value, version: BigInt(version) };
}

/** Rows as the field `field`, one after another. Their versions are safe integers. */
export function writeRows(writer: BackwardWriter, field: number, rows: readonly Row[]): void {
  for (let i = rows.length - 1; i >= 0; i--) {
    const { key, value, version } = rows[i] as Row;
    const before = writer.writtenBytes;
    writer.number(3, Number(version));
    writer.bytes(2, value);
    writer.bytes(1, key);
    writer.message(field, before);
  }
}

/** At least what {@link writeRows} writes. */
export function rowsSizeBytes(rows: readonly Row[]): number {
  let bytes = rows.length * ROW_OVERHEAD_BYTES;
  for (const { key, value } of rows) {
    bytes += key.length + value.length;
  }
  return bytes;
}

export function readBatchPut(reader: ProtoReader): BatchPutRequest {
  const rows: KeyValue[] = [];
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === ITEMS) {
      rows.push(readPair(reader, "rdb.v1.KeyValue"));
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.BatchPutRequest", rows };
}

export function writeBatchPut(writer: BackwardWriter, field: number, { rows }: BatchPutRequest): void {
  const before = writer.writtenBytes;
  for (let i = rows.length - 1; i >= 0; i--) {
    writePut(writer, 1, rows[i] as KeyValue);
  }
  writer.message(field, before);
}

/** At least what {@link writeBatchPut} writes. */
export function batchPutSizeBytes({ rows }: BatchPutRequest): number {
  let bytes = ITEM_OVERHEAD_BYTES + rows.length * (PUT_OVERHEAD_BYTES + ITEM_OVERHEAD_BYTES);
  for (const { key, value } of rows) {
    bytes += key.length + value.length;
  }
  return bytes;
}

export function readBatchGet(reader: ProtoReader): BatchGetRequest {
  const keys: Uint8Array[] = [];
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === ITEMS) {
      keys.push(reader.bytes());
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.BatchGetRequest", keys };
}

export function writeBatchGet(writer: BackwardWriter, field: number, { keys }: BatchGetRequest): void {
  const before = writer.writtenBytes;
  for (let i = keys.length - 1; i >= 0; i--) {
    writer.embed(1, keys[i] as Uint8Array);
  }
  writer.message(field, before);
}

/** At least what {@link writeBatchGet} writes. */
export function batchGetSizeBytes({ keys }: BatchGetRequest): number {
  let bytes = (1 + keys.length) * ITEM_OVERHEAD_BYTES;
  for (const key of keys) {
    bytes += key.length;
  }
  return bytes;
}

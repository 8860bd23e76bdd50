import { RdbError, assert } from "@flaredb/rdb-base";
import { passingBytes, readU64, writeU64 } from "./bytes.ts";

// A value in the column `data`: format, version (u64), the user's bytes (DESIGN §3).
const FORMAT = 1;
const HEADER_BYTES = 9;

/** A value as the column `data` holds it. */
export interface VersionedValue {
  /** The Region's revision at the write; only ever rises for a key. */
  readonly version: number;
  /** A view of what was decoded. */
  readonly value: Uint8Array;
}

export function encodeValue(version: number, value: Uint8Array): Uint8Array {
  assert(Number.isSafeInteger(version) && version >= 0, "a version is a safe integer");
  const row = passingBytes(HEADER_BYTES + value.length);
  row[0] = FORMAT;
  writeU64(row, 1, version);
  row.set(value, HEADER_BYTES);
  return row;
}

/** @throws RdbError RDB_DATA_CORRUPT when it is no value of a known format */
export function decodeValue(row: Uint8Array): VersionedValue {
  if (row.length < HEADER_BYTES || row[0] !== FORMAT) {
    const problem = row.length < HEADER_BYTES ? `is ${row.length} bytes long` : `has format ${row[0]}`;
    throw new RdbError("RDB_DATA_CORRUPT", `a stored value ${problem}, known is format ${FORMAT}`);
  }
  // Not subarray: rows come as Buffers, of which it takes four times as long.
  const value = new Uint8Array(row.buffer, row.byteOffset + HEADER_BYTES, row.length - HEADER_BYTES);
  return { version: readU64(row, 1), value };
}

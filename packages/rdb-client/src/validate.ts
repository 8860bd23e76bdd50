import { EMPTY_KEY, type KeyRange, RdbError, compareKeys, limits, prefixRange } from "@flaredb/rdb-base";
import { parseAddress } from "@flaredb/rdb-wire";
import type { Bytes, ReadFrom } from "./options.ts";

// Everything here throws RdbError RDB_INVALID_ARGUMENT, naming field, value and limit, before anything is sent.

/** Which keys: those with a prefix, or those from `start` (inside) to `end` (outside; empty: no end). */
export interface RangeOptions {
  readonly prefix?: Bytes;
  readonly start?: Bytes;
  readonly end?: Bytes;
}

/** A key of a single row: 1 byte to 4 KiB. */
export function keyBytes(field: string, key: Bytes): Uint8Array {
  const bytes = toBytes(field, key);
  if (bytes.length === 0) {
    throw invalid(field, `${field} must not be empty`, "");
  }
  return atMost(field, "length", bytes, limits.keyMaxBytes, "keyMaxBytes");
}

/** A value: at most 8 MiB, and it may be empty. */
export function valueBytes(field: string, value: Bytes): Uint8Array {
  return atMost(field, "length", toBytes(field, value), limits.valueMaxBytes, "valueMaxBytes");
}

/** A range that may be everything: for reads. */
export function scanRange(options: RangeOptions): KeyRange {
  if (options.prefix !== undefined) {
    if (options.start !== undefined || options.end !== undefined) {
      throw invalid("prefix", "prefix must not be combined with start or end", options.prefix);
    }
    return prefixRange(boundBytes("prefix", options.prefix));
  }
  const startKey = options.start === undefined ? EMPTY_KEY : boundBytes("start", options.start);
  const endKey = options.end === undefined ? EMPTY_KEY : boundBytes("end", options.end);
  if (endKey.length > 0 && compareKeys(startKey, endKey) > 0) {
    throw invalid(
      "start",
      `start ${show(options.start)} must not be after end ${show(options.end)}`,
      options.start,
    );
  }
  return { startKey, endKey };
}

/** A range of which every part was named: for deletes. */
export function namedRange(options: RangeOptions): KeyRange {
  if (options.prefix === undefined && (options.start === undefined || options.end === undefined)) {
    throw invalid(
      "start",
      "prefix, or both start and end, must be given; an empty end means no end",
      options.start,
    );
  }
  return scanRange(options);
}

/** Counts and bytes of one batch. */
export function checkBatch(field: string, count: number, bytes: number): void {
  if (count === 0) {
    throw invalid(field, `${field} must not be empty`, 0);
  }
  checkAtMost(field, "count", count, limits.batchMaxCount, "batchMaxCount");
  checkAtMost(field, "bytes", bytes, limits.batchMaxBytes, "batchMaxBytes");
}

/** A whole number from 1 to `max`. */
export function checkCount(field: string, value: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw invalid(field, `${field} ${String(value)} must be a whole number from 1 to ${max}`, value, max);
  }
  return value;
}

/** A version as answers carry it, as it goes on the wire. */
export function versionBigInt(field: string, version: number): bigint {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw invalid(field, `${field} ${String(version)} must be a whole number >= 1`, version);
  }
  return BigInt(version);
}

export function checkDeadlineMs(deadlineMs: number): number {
  if (!Number.isFinite(deadlineMs) || deadlineMs <= 0 || deadlineMs > limits.deadlineMaxMs) {
    throw invalid(
      "deadlineMs",
      `deadlineMs ${String(deadlineMs)} must be > 0 and <= deadlineMaxMs ${limits.deadlineMaxMs}`,
      deadlineMs,
      limits.deadlineMaxMs,
    );
  }
  return deadlineMs;
}

export function checkReadFrom(readFrom: ReadFrom): ReadFrom {
  if (readFrom !== "leader" && readFrom !== "follower" && readFrom !== "nearest") {
    throw invalid("readFrom", `readFrom "${String(readFrom)}" must be leader, follower or nearest`, readFrom);
  }
  return readFrom;
}

/** At least one host:port, each once. */
export function pdAddresses(pd: string | readonly string[]): readonly string[] {
  const addresses = [...new Set(typeof pd === "string" ? [pd] : pd)];
  if (addresses.length === 0) {
    throw invalid("pd", "pd must name at least one placement driver as host:port", pd);
  }
  for (const address of addresses) {
    parseAddress(address);
  }
  return addresses;
}

/** The error that everything here throws. */
export function invalid(field: string, message: string, value: unknown, limit?: number): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", message, { details: { field, value, limit } });
}

function toBytes(field: string, input: Bytes): Uint8Array {
  if (typeof input === "string") {
    // Encoding would turn every lone surrogate into the same character, and so different keys into one.
    if (!input.isWellFormed()) {
      throw invalid(field, `${field} must be text without lone surrogates, or bytes`, input);
    }
    // From the pool of buffers: a TextEncoder takes four times as long.
    const bytes = Buffer.from(input, "utf8");
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  if (!(input instanceof Uint8Array)) {
    throw invalid(field, `${field} must be a Uint8Array or a string, not ${typeof input}`, input);
  }
  return input;
}

/** A bound of a range is not a row's key: it may be empty, and one byte longer than the longest key. */
function boundBytes(field: string, bound: Bytes): Uint8Array {
  return atMost(field, "length", toBytes(field, bound), limits.keyMaxBytes + 1, "keyMaxBytes + 1");
}

function atMost(field: string, what: string, bytes: Uint8Array, max: number, limit: string): Uint8Array {
  checkAtMost(field, what, bytes.length, max, limit);
  return bytes;
}

function checkAtMost(field: string, what: string, value: number, max: number, limit: string): void {
  if (value > max) {
    throw invalid(field, `${field} ${what} ${value} must be <= ${limit} ${max}`, value, max);
  }
}

function show(bytes: Bytes | undefined): string {
  return typeof bytes === "string" ? `"${bytes}"` : "(bytes)";
}

import { MiB, assertNever, compareKeys, limits } from "@flaredb/rdb-base";
import {
  type ClientSession,
  type ConditionalBatchRequest,
  type Expectation,
  type KvRequest,
  ReadFrom,
  type RegionHeader,
  type ScanRequest,
} from "@flaredb/rdb-proto";

/** What is wrong with a request, for `InvalidArgument`. The message names field, value and limit. */
export interface InvalidField {
  readonly field: string;
  readonly message: string;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** A scan that continues behind the longest key starts one byte longer. */
const BOUND_MAX_BYTES = limits.keyMaxBytes + 1;
/** A page may be one row longer than asked for, and must still fit into a message. */
const PAGE_ASKED_MAX_BYTES = limits.messageMaxBytes - limits.valueMaxBytes - 1 * MiB;

/** Checks whom a batch's requests are meant for, so that the loop meets only ids that it can hold. */
export function findInvalidHeader(header: RegionHeader | undefined): InvalidField | undefined {
  if (header === undefined) {
    return { field: "header", message: "header must be set" };
  }
  const { epoch } = header;
  if (epoch === undefined) {
    return { field: "header.epoch", message: "header.epoch must be set" };
  }
  return (
    safeNumber("header.region_id", header.regionId) ??
    safeNumber("header.store_id", header.storeId) ??
    safeNumber("header.epoch.version", epoch.version) ??
    safeNumber("header.epoch.conf_ver", epoch.confVer) ??
    (header.session === undefined ? undefined : notZero("header.session.client_id", header.session.clientId))
  );
}

/**
 * Checks which write of its client a request says it is.
 *
 * @param session of the valid header that the request came under
 */
export function findInvalidIdentity(
  session: ClientSession | undefined,
  { sequence, issuedAtMs }: KvRequest,
): InvalidField | undefined {
  if (sequence === 0) {
    return undefined;
  }
  if (session === undefined) {
    return { field: "header.session", message: `header.session must be set for sequence ${sequence}` };
  }
  const { lowestOpenSequence } = session;
  if (lowestOpenSequence > sequence) {
    const field = "header.session.lowest_open_sequence";
    return { field, message: `${field} ${lowestOpenSequence} must be <= sequence ${sequence}` };
  }
  return notZero("issued_at_ms", issuedAtMs);
}

/** Checks one request against every rule that does not need a Region. Nothing that fails reaches the loop. */
export function findInvalidField(request: KvRequest): InvalidField | undefined {
  if (request.timeoutMs > limits.deadlineMaxMs) {
    return atMost("timeout_ms", "", request.timeoutMs, "deadlineMaxMs", limits.deadlineMaxMs);
  }
  if (request.readFrom !== ReadFrom.UNSPECIFIED && request.readFrom !== ReadFrom.FOLLOWER) {
    return { field: "read_from", message: `read_from ${String(request.readFrom)} must be 0 or 1` };
  }
  return findInvalidCommand(request.command);
}

/** As {@link findInvalidField}, for a command alone. */
export function findInvalidCommand(command: KvRequest["command"]): InvalidField | undefined {
  switch (command.case) {
    case undefined:
      // Also a command of a newer client.
      return { field: "command", message: "command must be set to one that this Store knows" };
    case "get":
    case "delete":
      return invalidKey("key", command.value.key);
    case "put":
      return invalidKey("key", command.value.key) ?? invalidValue("value", command.value.value);
    case "batchGet":
    case "batchDelete":
      return invalidKeys(command.value.keys);
    case "batchPut":
      return invalidRows(command.value.rows);
    case "scan":
      return invalidScan(command.value);
    case "deleteRange":
      return invalidRange(command.value);
    case "compareAndSwap":
      return (
        invalidKey("key", command.value.key) ??
        invalidExpectation(command.value.expect) ??
        invalidValue("value", command.value.value)
      );
    case "compareAndDelete":
      return invalidKey("key", command.value.key) ?? invalidExpectation(command.value.expect);
    case "conditionalBatch":
      return invalidConditionalBatch(command.value);
    default:
      return assertNever(command, "request");
  }
}

function invalidKeys(keys: readonly Uint8Array[]): InvalidField | undefined {
  let bytes = 0;
  for (const [place, key] of keys.entries()) {
    const invalid = invalidKey(`keys[${place}]`, key);
    if (invalid !== undefined) {
      return invalid;
    }
    bytes += key.length;
  }
  return invalidBatch("keys", keys.length, bytes);
}

function invalidRows(rows: readonly { key: Uint8Array; value: Uint8Array }[]): InvalidField | undefined {
  let bytes = 0;
  for (const [place, row] of rows.entries()) {
    const invalid =
      invalidKey(`rows[${place}].key`, row.key) ?? invalidValue(`rows[${place}].value`, row.value);
    if (invalid !== undefined) {
      return invalid;
    }
    bytes += row.key.length + row.value.length;
  }
  return invalidBatch("rows", rows.length, bytes);
}

function invalidConditionalBatch(batch: ConditionalBatchRequest): InvalidField | undefined {
  let bytes = 0;
  for (const [place, condition] of batch.conditions.entries()) {
    const field = `conditions[${place}]`;
    const invalid =
      invalidKey(`${field}.key`, condition.key) ?? safeNumber(`${field}.version`, condition.version);
    if (invalid !== undefined) {
      return invalid;
    }
    bytes += condition.key.length;
  }
  for (const [place, { operation }] of batch.mutations.entries()) {
    const field = `mutations[${place}]`;
    if (operation.case === undefined) {
      return { field, message: `${field} must be a put or a delete` };
    }
    const key = operation.case === "put" ? operation.value.key : operation.value;
    const value = operation.case === "put" ? operation.value.value : undefined;
    const invalid =
      invalidKey(`${field}.${operation.case === "put" ? "put.key" : "delete"}`, key) ??
      (value === undefined ? undefined : invalidValue(`${field}.put.value`, value));
    if (invalid !== undefined) {
      return invalid;
    }
    bytes += key.length + (value?.length ?? 0);
  }
  return invalidBatch("conditions and mutations", batch.conditions.length + batch.mutations.length, bytes);
}

function invalidBatch(field: string, count: number, bytes: number): InvalidField | undefined {
  if (count === 0) {
    return { field, message: `${field} must not be empty` };
  }
  if (count > limits.batchMaxCount) {
    return atMost(field, "count", count, "batchMaxCount", limits.batchMaxCount);
  }
  return bytes > limits.batchMaxBytes
    ? atMost(field, "bytes", bytes, "batchMaxBytes", limits.batchMaxBytes)
    : undefined;
}

function invalidScan(scan: ScanRequest): InvalidField | undefined {
  return (
    invalidRange(scan) ??
    (scan.maxBytes > PAGE_ASKED_MAX_BYTES
      ? atMost("max_bytes", "", scan.maxBytes, "the largest page", PAGE_ASKED_MAX_BYTES)
      : undefined)
  );
}

function invalidRange(range: {
  readonly startKey: Uint8Array;
  readonly endKey: Uint8Array;
}): InvalidField | undefined {
  for (const [field, key] of [
    ["start_key", range.startKey],
    ["end_key", range.endKey],
  ] as const) {
    if (key.length > BOUND_MAX_BYTES) {
      return atMost(field, "length", key.length, "keyMaxBytes + 1", BOUND_MAX_BYTES);
    }
  }
  return range.endKey.length > 0 && compareKeys(range.startKey, range.endKey) > 0
    ? { field: "start_key", message: "start_key must not be after end_key" }
    : undefined;
}

function invalidKey(field: string, key: Uint8Array): InvalidField | undefined {
  if (key.length === 0) {
    return { field, message: `${field} must not be empty` };
  }
  return key.length > limits.keyMaxBytes
    ? atMost(field, "length", key.length, "keyMaxBytes", limits.keyMaxBytes)
    : undefined;
}

function invalidValue(field: string, value: Uint8Array): InvalidField | undefined {
  return value.length > limits.valueMaxBytes
    ? atMost(field, "length", value.length, "valueMaxBytes", limits.valueMaxBytes)
    : undefined;
}

function invalidExpectation(expect: Expectation | undefined): InvalidField | undefined {
  const condition = expect?.condition;
  switch (condition?.case) {
    case undefined:
      return undefined;
    case "version":
      return safeNumber("expect.version", condition.value);
    case "value":
      return invalidValue("expect.value", condition.value);
    case "absent":
      return condition.value
        ? undefined
        : { field: "expect.absent", message: "expect.absent must be true, or left out" };
    default:
      return assertNever(condition, "expectation");
  }
}

function notZero(field: string, value: bigint): InvalidField | undefined {
  return value === 0n ? { field, message: `${field} must not be 0` } : safeNumber(field, value);
}

function safeNumber(field: string, value: bigint): InvalidField | undefined {
  return value > MAX_SAFE ? { field, message: `${field} ${value} must be <= 2^53 - 1` } : undefined;
}

/** @param quantity what of the field is counted; empty when it is the number itself */
function atMost(
  field: string,
  quantity: "" | "length" | "count" | "bytes",
  value: number,
  limit: string,
  max: number,
): InvalidField {
  const subject = quantity === "" ? field : `${field} ${quantity}`;
  return { field, message: `${subject} ${value} must be <= ${limit} ${max}` };
}

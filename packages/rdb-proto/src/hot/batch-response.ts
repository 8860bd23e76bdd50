import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert } from "@flaredb/rdb-base";
import {
  type BatchGetResponse,
  type BatchResponse,
  BatchResponseSchema,
  type GetResponse,
  type KvResponse,
  KvResponseSchema,
  type PutResponse,
  type Row,
  type ScanResponse,
} from "../gen/rdb/v1/kv_service_pb.ts";
import { BackwardWriter, VARINT_MAX_BYTES } from "./backward-writer.ts";
import { readRow, rowsSizeBytes, writeRows } from "./batch-commands.ts";
import { ProtoReader, tag } from "./proto-reader.ts";
import { readGenerated } from "./read-generated.ts";

// Answers to puts and to what reads, read and written by hand; the generated code stays the reference and does the others.

const RESPONSES = tag.bytes(1);
const REQUEST_ID = tag.varint(1);
const GET = tag.bytes(4);
const PUT = tag.bytes(5);
const SCAN = tag.bytes(7);
const BATCH_GET = tag.bytes(8);

const PUT_VERSION = tag.varint(1);
const GET_FOUND = tag.varint(1);
const GET_VALUE = tag.bytes(2);
const GET_VERSION = tag.varint(3);
const GET_REVISION = tag.varint(4);

const ROWS = tag.bytes(1);
const SCAN_HAS_MORE = tag.varint(2);
const SCAN_REVISION = tag.varint(3);
const SCAN_START_KEY = tag.bytes(4);
const SCAN_END_KEY = tag.bytes(5);
const BATCH_GET_REVISION = tag.varint(2);

const NO_BYTES = new Uint8Array(0);
/** Of a response beside a value: five numbers, their tags, and three lengths. */
const RESPONSE_OVERHEAD_BYTES = 8 * (1 + VARINT_MAX_BYTES);

/**
 * Bytes of a BatchResponse; errors as those of `fromBinary`. Values are views of the message,
 * but for those of small rows of a page or batch: they share copies of 8 KiB of it, so that a row that is kept does not
 * hold the message.
 */
export function decodeBatchResponse(message: Uint8Array): BatchResponse {
  const reader = new ProtoReader(message);
  const responses: KvResponse[] = [];
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === RESPONSES) {
      responses.push(readResponse(reader));
    } else {
      reader.odd();
    }
  }
  return reader.isOdd
    ? fromBinary(BatchResponseSchema, message)
    : { $typeName: "rdb.v1.BatchResponse", responses };
}

/**
 * A BatchResponse's bytes. Versions and revisions are safe integers. There is room for a frame's prefix before them.
 */
export function encodeBatchResponse(responses: readonly KvResponse[]): Uint8Array {
  const parts = responses.map(prepared);
  let capacity = 0;
  for (const part of parts) {
    capacity += sizeBytes(part);
  }
  const writer = new BackwardWriter(capacity);
  for (let i = parts.length - 1; i >= 0; i--) {
    writeResponse(writer, parts[i] as KvResponse | Uint8Array);
  }
  return writer.finish();
}

function readResponse(reader: ProtoReader): KvResponse {
  let requestId = 0;
  let result: KvResponse["result"] | undefined;
  const start = reader.position;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === REQUEST_ID) {
      requestId = reader.uint32();
    } else if (next === PUT && result === undefined) {
      result = { case: "put", value: readPut(reader) };
    } else if (next === GET && result === undefined) {
      result = { case: "get", value: readGet(reader) };
    } else if (next === SCAN && result === undefined) {
      result = { case: "scan", value: readScan(reader) };
    } else if (next === BATCH_GET && result === undefined) {
      result = { case: "batchGet", value: readBatchGet(reader) };
    } else {
      return readGenerated(KvResponseSchema, reader, reader.rewind(start, outerEnd));
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.KvResponse", requestId, result: result ?? { case: undefined } };
}

function readPut(reader: ProtoReader): PutResponse {
  let version = 0;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === PUT_VERSION) {
      version = reader.number();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.PutResponse", version: BigInt(version) };
}

function readGet(reader: ProtoReader): GetResponse {
  let found = false;
  let value: Uint8Array = NO_BYTES;
  let version = 0;
  let revision = 0;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    switch (next) {
      case GET_FOUND:
        found = reader.number() !== 0;
        break;
      case GET_VALUE:
        value = reader.bytes();
        break;
      case GET_VERSION:
        version = reader.number();
        break;
      case GET_REVISION:
        revision = reader.number();
        break;
      default:
        reader.odd();
    }
  }
  reader.leave(outerEnd);
  return {
    $typeName: "rdb.v1.GetResponse",
    found,
    value,
    version: BigInt(version),
    revision: BigInt(revision),
  };
}

function readScan(reader: ProtoReader): ScanResponse {
  const rows: Row[] = [];
  let hasMore = false;
  let revision = 0;
  let regionStartKey: Uint8Array = NO_BYTES;
  let regionEndKey: Uint8Array = NO_BYTES;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    switch (next) {
      case ROWS:
        rows.push(readRow(reader));
        break;
      case SCAN_HAS_MORE:
        hasMore = reader.number() !== 0;
        break;
      case SCAN_REVISION:
        revision = reader.number();
        break;
      case SCAN_START_KEY:
        regionStartKey = reader.bytes();
        break;
      case SCAN_END_KEY:
        regionEndKey = reader.bytes();
        break;
      default:
        reader.odd();
    }
  }
  reader.leave(outerEnd);
  return {
    $typeName: "rdb.v1.ScanResponse",
    rows,
    hasMore,
    revision: BigInt(revision),
    regionStartKey,
    regionEndKey,
  };
}

function readBatchGet(reader: ProtoReader): BatchGetResponse {
  const rows: Row[] = [];
  let revision = 0;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === ROWS) {
      rows.push(readRow(reader));
    } else if (next === BATCH_GET_REVISION) {
      revision = reader.number();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.BatchGetResponse", rows, revision: BigInt(revision) };
}

/** The response, or its bytes when it is none that is written by hand. */
function prepared(response: KvResponse): KvResponse | Uint8Array {
  switch (response.result.case) {
    case "put":
    case "get":
    case "scan":
    case "batchGet":
      return response;
    default:
      return toBinary(KvResponseSchema, response);
  }
}

function sizeBytes(response: KvResponse | Uint8Array): number {
  if (response instanceof Uint8Array) {
    return response.length + VARINT_MAX_BYTES;
  }
  const { result } = response;
  switch (result.case) {
    case "get":
      return RESPONSE_OVERHEAD_BYTES + result.value.value.length;
    case "scan": {
      const { rows, regionStartKey, regionEndKey } = result.value;
      return RESPONSE_OVERHEAD_BYTES + rowsSizeBytes(rows) + regionStartKey.length + regionEndKey.length;
    }
    case "batchGet":
      return RESPONSE_OVERHEAD_BYTES + rowsSizeBytes(result.value.rows);
    default:
      return RESPONSE_OVERHEAD_BYTES;
  }
}

function writeResponse(writer: BackwardWriter, response: KvResponse | Uint8Array): void {
  if (response instanceof Uint8Array) {
    writer.embed(1, response);
    return;
  }
  const before = writer.writtenBytes;
  writeResult(writer, response.result);
  writer.number(1, response.requestId);
  writer.message(1, before);
}

function writeResult(writer: BackwardWriter, result: KvResponse["result"]): void {
  const before = writer.writtenBytes;
  switch (result.case) {
    case "put":
      writer.number(1, Number(result.value.version));
      writer.message(5, before);
      break;
    case "get": {
      const { found, value, version, revision } = result.value;
      writer.number(4, Number(revision));
      writer.number(3, Number(version));
      writer.bytes(2, value);
      writer.bool(1, found);
      writer.message(4, before);
      break;
    }
    case "scan": {
      const { rows, hasMore, revision, regionStartKey, regionEndKey } = result.value;
      writer.bytes(5, regionEndKey);
      writer.bytes(4, regionStartKey);
      writer.number(3, Number(revision));
      writer.bool(2, hasMore);
      writeRows(writer, 1, rows);
      writer.message(7, before);
      break;
    }
    case "batchGet":
      writer.number(2, Number(result.value.revision));
      writeRows(writer, 1, result.value.rows);
      writer.message(8, before);
      break;
    default:
      assert(false, "other results are encoded already");
  }
}

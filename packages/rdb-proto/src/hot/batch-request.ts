import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert } from "@flaredb/rdb-base";
import {
  type BatchRequest,
  BatchRequestSchema,
  type KvRequest,
  KvRequestSchema,
  type ReadFrom,
  type RegionRequests,
} from "../gen/rdb/v1/kv_service_pb.ts";
import { BackwardWriter, VARINT_MAX_BYTES } from "./backward-writer.ts";
import {
  batchGetSizeBytes,
  batchPutSizeBytes,
  readBatchGet,
  readBatchPut,
  writeBatchGet,
  writeBatchPut,
} from "./batch-commands.ts";
import { PUT_OVERHEAD_BYTES, readDelete, readGet, readPut, writeKey, writePut } from "./point-commands.ts";
import { ProtoReader, tag } from "./proto-reader.ts";
import { readGenerated } from "./read-generated.ts";
import { REGION_HEADER_MAX_BYTES, readRegionHeader, writeRegionHeader } from "./region-header.ts";

// What the SDK sends, read and written by hand where it is hot: some four times as fast as by the generated code,
// which stays the reference and takes over for whatever is unusual.

const REGIONS = tag.bytes(1);
const HEADER = tag.bytes(1);
const REQUESTS = tag.bytes(2);

const REQUEST_ID = tag.varint(1);
const TIMEOUT_MS = tag.varint(2);
const READ_FROM = tag.varint(3);
const GET = tag.bytes(4);
const PUT = tag.bytes(5);
const DELETE = tag.bytes(6);
const BATCH_GET = tag.bytes(8);
const BATCH_PUT = tag.bytes(9);
const SEQUENCE = tag.varint(15);
const ISSUED_AT_MS = tag.varint(16);
const TRACE_CONTEXT = tag.bytes(17);

/** Of a request beside its command: five numbers, tags and lengths. */
const REQUEST_OVERHEAD_BYTES = 6 * (2 + VARINT_MAX_BYTES);

/** Bytes of a BatchRequest; errors as those of `fromBinary`. Keys and values are views of the message. */
export function decodeBatchRequest(message: Uint8Array): BatchRequest {
  const reader = new ProtoReader(message);
  const regions: RegionRequests[] = [];
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === REGIONS) {
      regions.push(readRegion(reader));
    } else {
      reader.odd();
    }
  }
  return reader.isOdd
    ? fromBinary(BatchRequestSchema, message)
    : { $typeName: "rdb.v1.BatchRequest", regions };
}

/** A BatchRequest's bytes. Numbers in it are safe integers. There is room for a frame's prefix before them. */
export function encodeBatchRequest(batch: BatchRequest): Uint8Array {
  const parts = batch.regions.map(({ header, requests }) => ({
    header,
    requests: requests.map(prepared),
  }));
  let capacity = 0;
  for (const { requests } of parts) {
    capacity += 4 * VARINT_MAX_BYTES + REGION_HEADER_MAX_BYTES;
    for (const request of requests) {
      capacity += sizeBytes(request);
    }
  }
  const writer = new BackwardWriter(capacity);
  for (const { header, requests } of parts.toReversed()) {
    const before = writer.writtenBytes;
    for (let i = requests.length - 1; i >= 0; i--) {
      writeRequest(writer, requests[i] as KvRequest | Uint8Array);
    }
    if (header !== undefined) {
      writeRegionHeader(writer, 1, header);
    }
    writer.message(1, before);
  }
  return writer.finish();
}

function readRegion(reader: ProtoReader): RegionRequests {
  const region: RegionRequests = { $typeName: "rdb.v1.RegionRequests", header: undefined, requests: [] };
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === REQUESTS) {
      region.requests.push(readRequest(reader));
    } else if (next === HEADER && region.header === undefined) {
      region.header = readRegionHeader(reader);
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return region;
}

function readRequest(reader: ProtoReader): KvRequest {
  let requestId = 0;
  let timeoutMs = 0;
  let readFrom = 0;
  let command: KvRequest["command"] | undefined;
  let sequence = 0;
  let issuedAtMs = 0;
  let traceContext: Uint8Array | undefined;
  const start = reader.position;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    switch (next) {
      case REQUEST_ID:
        requestId = reader.uint32();
        break;
      case TIMEOUT_MS:
        timeoutMs = reader.uint32();
        break;
      case READ_FROM:
        readFrom = reader.enumeration();
        break;
      case SEQUENCE:
        sequence = reader.uint32();
        break;
      case ISSUED_AT_MS:
        issuedAtMs = reader.number();
        break;
      case TRACE_CONTEXT:
        traceContext = reader.bytes();
        break;
      default:
        // A second command, or a part of the first, is for the generated code to join.
        command = command === undefined ? readCommand(reader, next) : undefined;
        if (command === undefined) {
          return readGenerated(KvRequestSchema, reader, reader.rewind(start, outerEnd));
        }
    }
  }
  reader.leave(outerEnd);
  const request: KvRequest = {
    $typeName: "rdb.v1.KvRequest",
    requestId,
    timeoutMs,
    // An open enum: what is not known is for whoever acts on it to refuse.
    readFrom: readFrom as ReadFrom,
    command: command ?? { case: undefined },
    sequence,
    issuedAtMs: BigInt(issuedAtMs),
  };
  if (traceContext !== undefined) {
    // Not in the object else: few requests have one.
    request.traceContext = traceContext;
  }
  return request;
}

function readCommand(reader: ProtoReader, next: number): KvRequest["command"] | undefined {
  switch (next) {
    case GET:
      return { case: "get", value: readGet(reader) };
    case PUT:
      return { case: "put", value: readPut(reader) };
    case DELETE:
      return { case: "delete", value: readDelete(reader) };
    case BATCH_GET:
      return { case: "batchGet", value: readBatchGet(reader) };
    case BATCH_PUT:
      return { case: "batchPut", value: readBatchPut(reader) };
    default:
      return undefined;
  }
}

/** The request, or its bytes when its command is none that is written by hand. */
function prepared(request: KvRequest): KvRequest | Uint8Array {
  switch (request.command.case) {
    case "get":
    case "put":
    case "delete":
    case "batchGet":
    case "batchPut":
      return request;
    default:
      return toBinary(KvRequestSchema, request);
  }
}

function sizeBytes(request: KvRequest | Uint8Array): number {
  if (request instanceof Uint8Array) {
    return request.length + VARINT_MAX_BYTES;
  }
  return traceSizeBytes(request) + commandSizeBytes(request);
}

function traceSizeBytes({ traceContext }: KvRequest): number {
  return traceContext === undefined ? 0 : 2 + VARINT_MAX_BYTES + traceContext.length;
}

function commandSizeBytes({ command }: KvRequest): number {
  switch (command.case) {
    case "put":
      return (
        REQUEST_OVERHEAD_BYTES + PUT_OVERHEAD_BYTES + command.value.key.length + command.value.value.length
      );
    case "get":
    case "delete":
      return REQUEST_OVERHEAD_BYTES + PUT_OVERHEAD_BYTES + command.value.key.length;
    case "batchGet":
      return REQUEST_OVERHEAD_BYTES + batchGetSizeBytes(command.value);
    case "batchPut":
      return REQUEST_OVERHEAD_BYTES + batchPutSizeBytes(command.value);
    default:
      return assert(false, "other commands are encoded already") as never;
  }
}

function writeRequest(writer: BackwardWriter, request: KvRequest | Uint8Array): void {
  if (request instanceof Uint8Array) {
    writer.embed(2, request);
    return;
  }
  const { command } = request;
  const before = writer.writtenBytes;
  if (request.traceContext !== undefined) {
    writer.embed(17, request.traceContext);
  }
  writer.number(16, Number(request.issuedAtMs));
  writer.number(15, request.sequence);
  switch (command.case) {
    case "put":
      writePut(writer, 5, command.value);
      break;
    case "get":
      writeKey(writer, 4, command.value);
      break;
    case "delete":
      writeKey(writer, 6, command.value);
      break;
    case "batchGet":
      writeBatchGet(writer, 8, command.value);
      break;
    case "batchPut":
      writeBatchPut(writer, 9, command.value);
      break;
    default:
      assert(false, "other commands are encoded already");
  }
  writer.number(3, request.readFrom);
  writer.number(2, request.timeoutMs);
  writer.number(1, request.requestId);
  writer.message(2, before);
}

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type BatchResponse,
  BatchResponseSchema,
  type GetResponse,
  type KvResponse,
  KvResponseSchema,
  type PutResponse,
} from "../gen/rdb/v1/kv_service_pb.ts";
import { BackwardWriter, VARINT_MAX_BYTES } from "./backward-writer.ts";
import { ProtoReader, tag } from "./proto-reader.ts";
import { readGenerated } from "./read-generated.ts";

// Answers to puts and gets, read and written by hand; the generated code stays the reference and does the others.

const RESPONSES = tag.bytes(1);
const REQUEST_ID = tag.varint(1);
const GET = tag.bytes(4);
const PUT = tag.bytes(5);

const PUT_VERSION = tag.varint(1);
const GET_FOUND = tag.varint(1);
const GET_VALUE = tag.bytes(2);
const GET_VERSION = tag.varint(3);
const GET_REVISION = tag.varint(4);

const NO_BYTES = new Uint8Array(0);
/** Of a response beside a value: five numbers, their tags, and three lengths. */
const RESPONSE_OVERHEAD_BYTES = 8 * (1 + VARINT_MAX_BYTES);

/** Bytes of a BatchResponse; errors as those of `fromBinary`. Values are views of the message. */
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

/** The response, or its bytes when it is none that is written by hand. */
function prepared(response: KvResponse): KvResponse | Uint8Array {
  const { case: kind } = response.result;
  return kind === "put" || kind === "get" ? response : toBinary(KvResponseSchema, response);
}

function sizeBytes(response: KvResponse | Uint8Array): number {
  if (response instanceof Uint8Array) {
    return response.length + VARINT_MAX_BYTES;
  }
  const valueBytes = response.result.case === "get" ? response.result.value.value.length : 0;
  return RESPONSE_OVERHEAD_BYTES + valueBytes;
}

function writeResponse(writer: BackwardWriter, response: KvResponse | Uint8Array): void {
  if (response instanceof Uint8Array) {
    writer.embed(1, response);
    return;
  }
  const { requestId, result } = response;
  const before = writer.writtenBytes;
  if (result.case === "put") {
    writer.number(1, Number(result.value.version));
    writer.message(5, before);
  } else if (result.case === "get") {
    const { found, value, version, revision } = result.value;
    writer.number(4, Number(revision));
    writer.number(3, Number(version));
    writer.bytes(2, value);
    writer.bool(1, found);
    writer.message(4, before);
  }
  writer.number(1, requestId);
  writer.message(1, before);
}

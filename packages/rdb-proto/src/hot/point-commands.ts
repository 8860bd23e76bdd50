import type { DeleteRequest, GetRequest, PutRequest } from "../gen/rdb/v1/kv_service_pb.ts";
import type { BackwardWriter } from "./backward-writer.ts";
import { type ProtoReader, tag } from "./proto-reader.ts";

// The commands that make up nearly all requests: read and written by hand, everywhere that they stand.

const NO_BYTES = new Uint8Array(0);
const KEY = tag.bytes(1);
const VALUE = tag.bytes(2);

/** Of a put beside its key and value: two tags, two lengths. */
export const PUT_OVERHEAD_BYTES = 12;

export function readPut(reader: ProtoReader): PutRequest {
  return readPair(reader, "rdb.v1.PutRequest");
}

/** A message of a key and a value. */
export function readPair<Name extends string>(
  reader: ProtoReader,
  $typeName: Name,
): { $typeName: Name; key: Uint8Array; value: Uint8Array } {
  let key: Uint8Array = NO_BYTES;
  let value: Uint8Array = NO_BYTES;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === KEY) {
      key = reader.bytes();
    } else if (next === VALUE) {
      value = reader.bytes();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName, key, value };
}

export function readGet(reader: ProtoReader): GetRequest {
  return { $typeName: "rdb.v1.GetRequest", key: readKey(reader) };
}

export function readDelete(reader: ProtoReader): DeleteRequest {
  return { $typeName: "rdb.v1.DeleteRequest", key: readKey(reader) };
}

/** A put, or a row of a batch of them. */
export function writePut(
  writer: BackwardWriter,
  field: number,
  { key, value }: Pick<PutRequest, "key" | "value">,
): void {
  const before = writer.writtenBytes;
  writer.bytes(2, value);
  writer.bytes(1, key);
  writer.message(field, before);
}

/** A get or a delete. */
export function writeKey(writer: BackwardWriter, field: number, { key }: { readonly key: Uint8Array }): void {
  const before = writer.writtenBytes;
  writer.bytes(1, key);
  writer.message(field, before);
}

function readKey(reader: ProtoReader): Uint8Array {
  let key: Uint8Array = NO_BYTES;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === KEY) {
      key = reader.bytes();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return key;
}

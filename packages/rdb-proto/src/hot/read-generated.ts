import { type DescMessage, type MessageShape, create, fromBinary } from "@bufbuild/protobuf";
import type { ProtoReader } from "./proto-reader.ts";

/**
 * Reads a nested message by the generated code. What is malformed is told by reading the whole message so, where the
 * nested one's end is no end.
 */
export function readGenerated<Schema extends DescMessage>(
  schema: Schema,
  reader: ProtoReader,
  bytes: Uint8Array,
): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch {
    // Not swallowed: an odd message is read again as a whole, and refused then.
    reader.odd();
    return create(schema);
  }
}

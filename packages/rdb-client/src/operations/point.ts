import { type RegionId, safeInteger } from "@flaredb/rdb-base";
import { type ClientContext, request, termsOf } from "../call-context.ts";
import type { Bytes, CallOptions, ReadOptions } from "../options.ts";
import { type Row, rowFromWire } from "../row.ts";
import { keyBytes, valueBytes } from "../validate.ts";

export interface PutResult {
  /** The key's version from now on. */
  readonly version: number;
  /** The Region's revision after. */
  readonly revision: number;
  readonly regionId: RegionId;
}

export interface DeleteResult {
  /** Whether there was such a key. */
  readonly deleted: boolean;
  /** The Region's revision after. */
  readonly revision: number;
  readonly regionId: RegionId;
}

export function get(context: ClientContext, key: Bytes, options?: ReadOptions): Promise<Row | undefined> {
  const bytes = keyBytes("key", key);
  return request(
    context,
    termsOf(context, options),
    {
      name: "get",
      command: { $typeName: "rdb.v1.GetRequest", key: bytes },
      key: bytes,
      isWrite: false,
      sizeBytes: bytes.length,
    },
    (answer, by) => (answer.found ? rowFromWire(bytes, answer, answer.revision, by) : undefined),
  );
}

export function put(
  context: ClientContext,
  key: Bytes,
  value: Bytes,
  options?: CallOptions,
): Promise<PutResult> {
  const bytes = keyBytes("key", key);
  const valueSent = valueBytes("value", value);
  return request(
    context,
    termsOf(context, options),
    {
      name: "put",
      command: { $typeName: "rdb.v1.PutRequest", key: bytes, value: valueSent },
      key: bytes,
      isWrite: true,
      sizeBytes: bytes.length + valueSent.length,
    },
    (answer, regionId) => {
      const version = safeInteger(answer.version, "version");
      // A version is the revision that its write made.
      return { version, revision: version, regionId };
    },
  );
}

export function deleteKey(context: ClientContext, key: Bytes, options?: CallOptions): Promise<DeleteResult> {
  const bytes = keyBytes("key", key);
  return request(
    context,
    termsOf(context, options),
    {
      name: "delete",
      command: { $typeName: "rdb.v1.DeleteRequest", key: bytes },
      key: bytes,
      isWrite: true,
      sizeBytes: bytes.length,
    },
    (answer, regionId) => ({
      deleted: answer.deleted,
      revision: safeInteger(answer.revision, "revision"),
      regionId,
    }),
  );
}

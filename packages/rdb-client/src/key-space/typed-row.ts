import { RdbError, type RegionId, formatKey } from "@flaredb/rdb-base";
import type { Bytes } from "../options.ts";
import type { Row } from "../row.ts";
import type { Codec } from "./codec.ts";

/** A {@link Row} of which key and value are decoded. */
export interface TypedRow<Key, Value> {
  readonly key: Key;
  readonly value: Value;
  /** As {@link Row.version}. */
  readonly version: number;
  /** As {@link Row.revision}. */
  readonly revision: number;
  readonly regionId: RegionId;
}

/** How the keys and the values of a {@link TypedSpace} are written. */
export interface TypedCodecs<Key, Value> {
  readonly key: Codec<Key>;
  readonly value: Codec<Value>;
}

/** @throws RdbError RDB_DATA_CORRUPT with the row's `key` and the `part` of it, key or value, in its details */
export function decodeRow<Key, Value>(codecs: TypedCodecs<Key, Value>, row: Row): TypedRow<Key, Value> {
  return {
    key: decodePart(codecs.key, "key", row),
    value: decodePart(codecs.value, "value", row),
    version: row.version,
    revision: row.revision,
    regionId: row.regionId,
  };
}

/** @throws RdbError RDB_DATA_CORRUPT */
function decodePart<Of>(codec: Codec<Of>, part: "key" | "value", row: Row): Of {
  try {
    return codec.decode(row[part]);
  } catch (error) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `${part} of the row "${formatKey(row.key)}" cannot be decoded: ${RdbError.from(error).message}`,
      { details: { key: row.key, part }, cause: error },
    );
  }
}

/** @throws RdbError RDB_INVALID_ARGUMENT naming the field */
export function encodeField<Of>(codec: Codec<Of>, field: string, value: Of): Bytes {
  try {
    return codec.encode(value);
  } catch (error) {
    throw new RdbError(
      "RDB_INVALID_ARGUMENT",
      `${field} cannot be encoded: ${RdbError.from(error).message}`,
      { details: { field, value }, cause: error },
    );
  }
}

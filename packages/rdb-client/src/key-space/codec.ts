import { RdbError } from "@flaredb/rdb-base";
import type { Bytes } from "../options.ts";

/**
 * How a key or a value is written as bytes, and read back. `decode(encode(x))` must be `x`. Keys are ordered by their
 * bytes, so the encoding of a key decides what a range holds. Both may throw: what cannot be encoded fails the call
 * with RDB_INVALID_ARGUMENT before anything is sent, what cannot be decoded with RDB_DATA_CORRUPT.
 */
export interface Codec<Value> {
  encode(value: Value): Bytes;
  /** The bytes may share memory with other rows: they must not be changed. */
  decode(bytes: Uint8Array): Value;
}

/** What checks values of unknown origin and says what they are, such as a zod schema. Throws what is wrong. */
export interface Schema<Value> {
  parse(input: unknown): Value;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as they are. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => bytes,
};

/** Text as UTF-8. As keys they are in the order of their code points. */
export const textCodec: Codec<string> = {
  encode: (value) => value,
  decode: (bytes) => decoder.decode(bytes),
};

/**
 * Whole numbers from -(2^53 - 1) to 2^53 - 1 in 8 bytes. As keys they are in numeric order, the negative ones first.
 */
export const integerCodec: Codec<number> = {
  encode: (value) => {
    if (!Number.isSafeInteger(value)) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `${String(value)} must be a whole number within 2^53 - 1`);
    }
    const bytes = new Uint8Array(INTEGER_BYTES);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value) ^ SIGN);
    return bytes;
  },
  decode: (bytes) => {
    if (bytes.length !== INTEGER_BYTES) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `a whole number has ${INTEGER_BYTES} bytes, not ${bytes.length}`,
      );
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const value = Number(view.getBigInt64(0) ^ SIGN);
    if (!Number.isSafeInteger(value)) {
      throw new RdbError("RDB_DATA_CORRUPT", `${value} is not within 2^53 - 1`);
    }
    return value;
  },
};

const INTEGER_BYTES = 8;
/** Turned over, the bit of the sign puts the negative numbers below the others. */
const SIGN = -(1n << 63n);

/**
 * JSON. With a schema, what is read is what its `parse` makes of it; what is written is not parsed, since a schema may
 * make something else of it: its type guards it. Not for keys in order: JSON does not keep it.
 */
export function jsonCodec<Value = unknown>(schema?: Schema<Value>): Codec<Value> {
  return {
    encode: (value) => {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) {
        throw new RdbError("RDB_INVALID_ARGUMENT", `a value of type ${typeof value} has no JSON`);
      }
      return text;
    },
    decode: (bytes) => {
      const parsed: unknown = JSON.parse(decoder.decode(bytes));
      return schema === undefined ? (parsed as Value) : schema.parse(parsed);
    },
  };
}

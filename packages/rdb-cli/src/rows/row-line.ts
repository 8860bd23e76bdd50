import { RdbError, limits } from "@flaredb/rdb-base";
import { decodeUtf8 } from "../output/text.ts";

/** A row of an export or an import. */
export interface RowBytes {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Longest line that is read: a value of the largest size, every byte of it written as `\u0000`, and its key. */
export const LINE_MAX_BYTES = 6 * (limits.valueMaxBytes + limits.keyMaxBytes) + 1024;

/**
 * A row as one line of JSON: `key` and `value` where the bytes are UTF-8, else `keyBase64` and `valueBase64`. Reading
 * it gives the same bytes.
 */
export function formatRowLine({ key, value }: RowBytes): string {
  return `${JSON.stringify({ ...field("key", key), ...field("value", value) })}\n`;
}

function field(name: string, bytes: Uint8Array): Record<string, string> {
  const text = decodeUtf8(bytes);
  return text === undefined
    ? { [`${name}Base64`]: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64") }
    : { [name]: text };
}

/**
 * The row of a line, as exports write them; also with `keyHex` and `valueHex`, and a `version` that is ignored, as
 * `rdb scan --json` prints them.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT saying what is wrong, without the line's number
 */
export function parseRowLine(line: Uint8Array): RowBytes {
  const text = decodeUtf8(line);
  if (text === undefined) {
    throw bad("is not UTF-8");
  }
  const document = parseObject(text);
  for (const name of Object.keys(document)) {
    if (!knownFields.has(name)) {
      throw bad(`has an unknown field "${name}": it must have key and value, or keyBase64 and valueBase64`);
    }
  }
  const key = bytesOf(document, "key");
  const value = bytesOf(document, "value");
  if (key.length === 0 || key.length > limits.keyMaxBytes) {
    throw bad(`has a key of ${key.length} bytes: it must have 1 to ${limits.keyMaxBytes}`);
  }
  if (value.length > limits.valueMaxBytes) {
    throw bad(`has a value of ${value.length} bytes: the limit is ${limits.valueMaxBytes}`);
  }
  return { key, value };
}

const forms = ["", "Base64", "Hex"] as const;
const knownFields = new Set(["version", ...forms.flatMap((form) => [`key${form}`, `value${form}`])]);

function parseObject(text: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw bad(`is not JSON: ${RdbError.from(error).message}`);
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw bad("is not a JSON object");
  }
  return document as Record<string, unknown>;
}

function bytesOf(document: Record<string, unknown>, name: string): Uint8Array {
  const given = forms.filter((form) => document[`${name}${form}`] !== undefined);
  const [form] = given;
  if (form === undefined || given.length > 1) {
    throw bad(`must have exactly one of ${name}, ${name}Base64 and ${name}Hex, not ${given.length}`);
  }
  const text = document[`${name}${form}`];
  if (typeof text !== "string") {
    throw bad(`has a ${name}${form} that is no string`);
  }
  const encoding = form === "" ? "utf8" : form === "Base64" ? "base64" : "hex";
  const bytes = Buffer.from(text, encoding);
  // What Node skips or replaces would be other bytes than were meant.
  const isSame =
    form === "Hex" ? bytes.toString("hex") === text.toLowerCase() : bytes.toString(encoding) === text;
  if (!isSame) {
    throw bad(`has a ${name}${form} that is not ${form === "" ? "well-formed text" : `valid ${encoding}`}`);
  }
  return bytes;
}

function bad(what: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", what);
}

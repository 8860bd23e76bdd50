import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { RdbError, limits } from "@flaredb/rdb-base";

const encoder = new TextEncoder();

/** An error of the caller's making: names the field, the value and the limit. Ends the program with 2. */
export function invalid(field: string, message: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", message, { details: { field } });
}

/**
 * Bytes as given on the command line: text, or hexadecimal digits.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when `hex` and the text is not an even number of hexadecimal digits
 */
export function parseBytes(field: string, text: string, hex: boolean): Uint8Array {
  if (!hex) {
    return encoder.encode(text);
  }
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw invalid(field, `${field} "${shorten(text)}" must be an even number of hexadecimal digits (--hex)`);
  }
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** @throws RdbError RDB_INVALID_ARGUMENT when the key is empty or too long */
export function parseKey(text: string, hex: boolean): Uint8Array {
  const key = parseBytes("key", text, hex);
  if (key.length === 0) {
    throw invalid("key", `key is empty: it must have 1 to ${limits.keyMaxBytes} bytes`);
  }
  return checkKeyLength("key", key);
}

/** A bound of a range, which may be empty: no bound. */
export function parseBound(field: string, text: string, hex: boolean): Uint8Array {
  return checkKeyLength(field, parseBytes(field, text, hex));
}

function checkKeyLength(field: string, key: Uint8Array): Uint8Array {
  if (key.length > limits.keyMaxBytes) {
    throw invalid(
      field,
      `${field} of ${key.length} bytes is too long: the limit is ${limits.keyMaxBytes} bytes`,
    );
  }
  return key;
}

/** Where a value comes from; exactly one of both is given. */
export interface ValueSource {
  /** As given; `-` reads stdin. */
  readonly text: string | undefined;
  /** A file's path; `-` reads stdin. */
  readonly file: string | undefined;
  readonly hex: boolean;
}

/**
 * A value from the command line, a file or stdin. What comes from a file or stdin is taken byte by byte, unless
 * `hex`: then it is read as hexadecimal digits, and white space around them is dropped.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when none or both are given, the file cannot be read, or it is too large
 */
export async function readValue(source: ValueSource, stdin: Readable): Promise<Uint8Array> {
  if ((source.text === undefined) === (source.file === undefined)) {
    throw invalid("value", "value must be given once: as VALUE, as - for stdin, or with --value-file");
  }
  const value =
    source.text !== undefined && source.text !== "-"
      ? parseBytes("value", source.text, source.hex)
      : await readStream(source, stdin);
  return checkValueLength(value);
}

/** @throws RdbError RDB_INVALID_ARGUMENT when the value is too large */
export function checkValueLength(value: Uint8Array): Uint8Array {
  if (value.length > limits.valueMaxBytes) {
    throw invalid(
      "value",
      `value of ${value.length} bytes is too large: the limit is ${limits.valueMaxBytes} bytes`,
    );
  }
  return value;
}

async function readStream(source: ValueSource, stdin: Readable): Promise<Uint8Array> {
  const fromStdin = source.text === "-" || source.file === "-";
  const bytes = fromStdin ? await readAll(stdin) : await readNamed(source.file as string);
  return source.hex ? parseBytes("value", Buffer.from(bytes).toString("latin1").trim(), true) : bytes;
}

async function readNamed(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid("value-file", `--value-file ${path} cannot be read: ${reason}`);
  }
}

async function readAll(stdin: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    chunks.push(bytes);
    sizeBytes += bytes.length;
    // Hexadecimal digits take two bytes each; a stream without end must not fill the memory.
    if (sizeBytes > 2 * limits.valueMaxBytes + 1024) {
      throw invalid("value", `value on stdin is too large: the limit is ${limits.valueMaxBytes} bytes`);
    }
  }
  return Buffer.concat(chunks);
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}

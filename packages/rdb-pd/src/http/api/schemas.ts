import { RdbError, limits } from "@flaredb/rdb-base";
import { z } from "zod";
import { parseKeyText } from "../../key-text.ts";
import { invalidInput } from "./problem.ts";

/** Ids are numbers, as with `--json` of the command line: PD gives out safe integers only. */
export const id = z.int().min(1);

/** Milliseconds since 1970; 0: never, or not yet. */
export const timeMs = z.int().min(0);

export const count = z.int().min(0);

/** A count or an id in a path or query, where all is text: digits alone. */
export function digits(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  return z
    .string()
    .regex(/^\d{1,16}$/, "must be a number without sign or fraction")
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

/** The path's `{regionId}` and the like. */
export const idInPath = digits(1);

/** A key as text: what `rdb` prints in tables, other bytes as \xNN. */
export const keyText = z
  .string()
  .max(4 * limits.keyMaxBytes)
  .describe("A key: printable ASCII as it is, every other byte and the backslash as \\xNN.");

/** A key as hexadecimal digits. */
export const keyHex = z
  .string()
  .max(2 * limits.keyMaxBytes)
  .regex(/^([0-9a-fA-F]{2})*$/, "must be an even number of hexadecimal digits")
  .describe("A key as hexadecimal digits.");

/**
 * The key of a request in one of its two forms.
 *
 * @returns undefined when neither is given
 * @throws RdbError RDB_INVALID_ARGUMENT, naming the field
 */
export function keyOf(
  field: string,
  text: string | undefined,
  hex: string | undefined,
): Uint8Array | undefined {
  if (text !== undefined && hex !== undefined) {
    throw invalidInput([{ field: `${field}Hex`, message: `and ${field} exclude each other` }]);
  }
  return hex === undefined ? (text === undefined ? undefined : bytesOfText(field, text)) : bytesOfHex(hex);
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** @throws RdbError RDB_INVALID_ARGUMENT, naming the field */
export function bytesOfText(field: string, text: string): Uint8Array {
  try {
    return parseKeyText(text);
  } catch (error) {
    throw invalidInput([{ field, message: RdbError.from(error).message }]);
  }
}

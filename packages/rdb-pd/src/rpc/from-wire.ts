import { RdbError } from "@flaredb/rdb-base";

/**
 * Runs what narrows a request's fields; a number that is no safe integer is the caller's mistake.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT
 */
export function fromWire<Value>(narrow: () => Value): Value {
  try {
    return narrow();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new RdbError("RDB_INVALID_ARGUMENT", error.message, { cause: error });
    }
    throw error;
  }
}

export function invalid(field: string, message: string, limit?: number): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", `${field} ${message}`, {
    details: limit === undefined ? { field } : { field, limit },
  });
}

/** @throws RdbError RDB_INVALID_ARGUMENT when the text is too long, or empty though it must not be */
export function checkText(
  field: string,
  text: string,
  bounds: { readonly minLength: number; readonly maxLength: number },
): string {
  if (text.length < bounds.minLength) {
    throw invalid(field, "must not be empty");
  }
  if (text.length > bounds.maxLength) {
    throw invalid(field, `has ${text.length} characters, the limit is ${bounds.maxLength}`, bounds.maxLength);
  }
  return text;
}

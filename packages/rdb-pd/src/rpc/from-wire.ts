import { RdbError, limits } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";

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

/** @throws RdbError RDB_INVALID_ARGUMENT for too many, or a name or value that is too long */
export function checkLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  if (entries.length > pdLimits.labelMaxCount) {
    throw invalid(
      "labels",
      `are ${entries.length}, labelMaxCount is ${pdLimits.labelMaxCount}`,
      pdLimits.labelMaxCount,
    );
  }
  for (const [name, value] of entries) {
    checkText("labels", name, { minLength: 1, maxLength: pdLimits.labelMaxLength });
    checkText(`labels.${name}`, value, { minLength: 0, maxLength: pdLimits.labelMaxLength });
  }
  return labels;
}

/** @throws RdbError RDB_INVALID_ARGUMENT when it is longer than a key may be */
export function checkKey(field: string, key: Uint8Array): Uint8Array {
  if (key.length > limits.keyMaxBytes) {
    throw invalid(field, `has ${key.length} bytes, keyMaxBytes is ${limits.keyMaxBytes}`, limits.keyMaxBytes);
  }
  return key;
}

/**
 * A bound of a range is not a row's key: what goes on behind the longest key begins one byte longer.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when it is longer than that
 */
export function checkBound(field: string, bound: Uint8Array): Uint8Array {
  const most = limits.keyMaxBytes + 1;
  if (bound.length > most) {
    throw invalid(field, `has ${bound.length} bytes, keyMaxBytes + 1 is ${most}`, most);
  }
  return bound;
}

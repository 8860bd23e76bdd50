import { limits } from "@flaredb/rdb-base";
import { invalid } from "./bytes.ts";

/**
 * A whole number as given on the command line.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when it is none, or outside [atLeast, atMost]
 */
export function parseInteger(field: string, text: string, atLeast: number, atMost: number): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || value < atLeast || value > atMost) {
    throw invalid(field, `${field} ${text} must be a whole number from ${atLeast} to ${atMost}`);
  }
  return value;
}

/**
 * The id of a Region, a Store or an operator as given on the command line.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT
 */
export function parseId(field: string, text: string): bigint {
  return BigInt(parseInteger(field, text, 1, Number.MAX_SAFE_INTEGER));
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * A time as given on the command line: `500ms`, `5s`, `1m`; a bare number is seconds.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when it is none, or outside 1 ms to {@link limits.deadlineMaxMs}
 */
export function parseDurationMs(field: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  const durationMs = Number(match?.[1]) * (unitMs[match?.[2] ?? "s"] as number);
  if (match === null || durationMs < 1 || durationMs > limits.deadlineMaxMs) {
    throw invalid(
      field,
      `${field} ${text} must be a time such as 500ms, 5s or 1m, at most ${limits.deadlineMaxMs / 60_000}m`,
    );
  }
  return Math.ceil(durationMs);
}

/**
 * A number, with or without a fraction, as given on the command line.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when it is none, or outside [atLeast, atMost]
 */
export function parseNumber(field: string, text: string, atLeast: number, atMost: number): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < atLeast || value > atMost) {
    throw invalid(field, `${field} ${text} must be a number from ${atLeast} to ${atMost}`);
  }
  return value;
}

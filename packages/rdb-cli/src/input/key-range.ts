import { type KeyRange, compareKeys, prefixRange } from "@flaredb/rdb-base";
import { printable } from "../output/text.ts";
import { invalid, parseBound } from "./bytes.ts";

/** A range as given on the command line: a prefix, or two bounds; nothing: all keys. */
export interface RangeText {
  readonly prefix: string | undefined;
  readonly start: string | undefined;
  readonly end: string | undefined;
  /** Whether they are hexadecimal digits. */
  readonly hex: boolean;
}

/**
 * @param names the options of the two bounds, without dashes
 * @throws RdbError RDB_INVALID_ARGUMENT
 */
export function parseRange(
  range: RangeText,
  names: { readonly start: string; readonly end: string },
): KeyRange {
  const { prefix, start, end, hex } = range;
  if (prefix !== undefined && (start !== undefined || end !== undefined)) {
    throw invalid(
      "prefix",
      `--prefix cannot be combined with --${names.start} or --${names.end}: it sets both`,
    );
  }
  if (prefix !== undefined) {
    return prefixRange(parseBound("prefix", prefix, hex));
  }
  const startKey = parseBound(names.start, start ?? "", hex);
  const endKey = parseBound(names.end, end ?? "", hex);
  if (endKey.length > 0 && compareKeys(startKey, endKey) > 0) {
    throw invalid(
      names.start,
      `${names.start} "${printable(startKey)}" is after ${names.end} "${printable(endKey)}": ` +
        `${names.start} must not be greater`,
    );
  }
  return { startKey, endKey };
}

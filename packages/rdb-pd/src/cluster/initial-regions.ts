import {
  EMPTY_KEY,
  type KeyRange,
  RdbError,
  compareEndKeys,
  compareKeys,
  formatKey,
  formatRange,
  limits,
} from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";

/**
 * The ranges that split keys cut the key space into: one more than there are keys, each split key beginning one.
 *
 * @throws RdbError RDB_CONFIG_INVALID when keys are empty, too long, unsorted or twice there (SPEC M5)
 */
export function rangesFromSplitKeys(splitKeys: readonly Uint8Array[]): KeyRange[] {
  for (const [position, key] of splitKeys.entries()) {
    checkKeyLength(key, `split key ${position + 1}`);
    if (key.length === 0) {
      throw invalid(`initial regions: split key ${position + 1} must not be empty`);
    }
  }
  const ranges = [EMPTY_KEY, ...splitKeys].map((startKey, position) => ({
    startKey,
    endKey: splitKeys[position] ?? EMPTY_KEY,
  }));
  for (const [position, key] of splitKeys.entries()) {
    const next = splitKeys[position + 1];
    const order = next === undefined ? -1 : compareKeys(key, next);
    if (next !== undefined && order >= 0) {
      const [fault, consequence] =
        order === 0 ? ["twice there", "begin at the same key"] : ["not in order", "not be in order"];
      throw invalid(
        `initial regions: split keys "${formatKey(key)}" and "${formatKey(next)}" are ${fault}: ${name(position + 1, ranges)} and ${name(position + 2, ranges)} would ${consequence}`,
      );
    }
  }
  return checkInitialRanges(ranges);
}

/**
 * Checks that the ranges tile the key space in order, and gives them back.
 *
 * @throws RdbError RDB_CONFIG_INVALID that names both Regions of an overlap, a gap or a wrong order (SPEC M5)
 */
export function checkInitialRanges(ranges: readonly KeyRange[]): KeyRange[] {
  if (ranges.length === 0 || ranges.length > pdLimits.initialRegionMaxCount) {
    throw invalid(`initial regions: ${ranges.length} regions must be 1 to ${pdLimits.initialRegionMaxCount}`);
  }
  for (const [position, range] of ranges.entries()) {
    checkKeyLength(range.startKey, `start key of ${name(position, ranges)}`);
    checkKeyLength(range.endKey, `end key of ${name(position, ranges)}`);
    if (range.endKey.length > 0 && compareKeys(range.startKey, range.endKey) >= 0) {
      throw invalid(`initial regions: ${name(position, ranges)} holds no key: it must end after its start`);
    }
    const next = ranges[position + 1];
    if (next !== undefined) {
      checkNeighbours(range, next, name(position, ranges), name(position + 1, ranges));
    }
  }
  const first = ranges[0] as KeyRange;
  if (first.startKey.length > 0) {
    throw invalid(
      `initial regions: nothing holds the keys before ${name(0, ranges)}: the first region must start at the empty key`,
    );
  }
  const last = ranges.length - 1;
  if ((ranges[last] as KeyRange).endKey.length > 0) {
    throw invalid(
      `initial regions: nothing holds the keys from the end of ${name(last, ranges)} on: the last region must have an empty end key`,
    );
  }
  return [...ranges];
}

function checkNeighbours(range: KeyRange, next: KeyRange, rangeName: string, nextName: string): void {
  if (compareKeys(range.startKey, next.startKey) > 0) {
    throw invalid(`initial regions: ${rangeName} and ${nextName} are not in the order of their start keys`);
  }
  if (range.endKey.length === 0 || compareKeys(range.endKey, next.startKey) > 0) {
    throw invalid(`initial regions: ${rangeName} and ${nextName} overlap`);
  }
  if (compareEndKeys(range.endKey, next.startKey) < 0) {
    throw invalid(`initial regions: nothing holds the keys between ${rangeName} and ${nextName}`);
  }
}

function checkKeyLength(key: Uint8Array, what: string): void {
  if (key.length > limits.keyMaxBytes) {
    throw invalid(`initial regions: ${what} has ${key.length} bytes, keyMaxBytes is ${limits.keyMaxBytes}`);
  }
}

/** "region 2 ["m", "")", counted from one as the Regions' ids are. */
function name(position: number, ranges: readonly KeyRange[]): string {
  const range = ranges[position];
  return `region ${position + 1}${range === undefined ? "" : ` ${formatRange(range)}`}`;
}

function invalid(message: string): RdbError {
  return new RdbError("RDB_CONFIG_INVALID", message, { details: { field: "initialRegions" } });
}

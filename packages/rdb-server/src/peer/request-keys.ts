import {
  EMPTY_KEY,
  type Region,
  assertNever,
  compareEndKeys,
  compareKeys,
  keyInRange,
} from "@flaredb/rdb-base";
import type { KvRequest } from "@flaredb/rdb-proto";

/**
 * The first key of a request that lies outside the Region, or undefined when all are inside (SPEC M3). A scan may
 * reach beyond: it gets the part that lies inside, but must touch the Region.
 */
export function keyOutsideRegion(command: KvRequest["command"], region: Region): Uint8Array | undefined {
  const outside = (key: Uint8Array): boolean => !keyInRange(key, region);
  switch (command.case) {
    case "get":
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return outside(command.value.key) ? command.value.key : undefined;
    case "batchGet":
    case "batchDelete":
      return command.value.keys.find(outside);
    case "batchPut":
      return command.value.rows.find((row) => outside(row.key))?.key;
    case "conditionalBatch":
      return (
        command.value.conditions.find((condition) => outside(condition.key))?.key ??
        command.value.mutations.map(mutationKey).find((key) => key !== undefined && outside(key))
      );
    case "deleteRange":
      return rangeOutside(command.value.startKey, command.value.endKey, region);
    case "scan":
      return scanOutside(command.value.startKey, command.value.endKey, region);
    case undefined:
      return undefined;
    default:
      return assertNever(command, "request");
  }
}

function mutationKey(mutation: {
  readonly operation:
    | { case: "put"; value: { key: Uint8Array } }
    | { case: "delete"; value: Uint8Array }
    | { case: undefined };
}): Uint8Array | undefined {
  const operation = mutation.operation;
  return operation.case === "put"
    ? operation.value.key
    : operation.case === "delete"
      ? operation.value
      : undefined;
}

function rangeOutside(startKey: Uint8Array, endKey: Uint8Array, region: Region): Uint8Array | undefined {
  if (compareKeys(startKey, region.startKey) < 0) {
    return startKey;
  }
  return compareEndKeys(endKey, region.endKey) > 0 ? endKey : undefined;
}

function scanOutside(startKey: Uint8Array, endKey: Uint8Array, region: Region): Uint8Array | undefined {
  if (region.endKey.length > 0 && compareKeys(startKey, region.endKey) >= 0) {
    return startKey;
  }
  return endKey.length > 0 && compareKeys(endKey, region.startKey) <= 0 ? endKey : undefined;
}

/** How many keys a request names; a range counts as one. */
export function keyCount(command: KvRequest["command"]): number {
  switch (command.case) {
    case "batchGet":
    case "batchDelete":
      return Math.max(1, command.value.keys.length);
    case "batchPut":
      return Math.max(1, command.value.rows.length);
    case "conditionalBatch":
      return Math.max(1, command.value.mutations.length);
    default:
      return 1;
  }
}

/** One of a request's keys, by its place from 0; of a range, where it starts. Empty when it has none. */
export function keyAt(command: KvRequest["command"], place: number): Uint8Array {
  switch (command.case) {
    case "get":
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return command.value.key;
    case "batchGet":
    case "batchDelete":
      return command.value.keys[place] ?? EMPTY_KEY;
    case "batchPut":
      return command.value.rows[place]?.key ?? EMPTY_KEY;
    case "conditionalBatch":
      return command.value.mutations.map(mutationKey)[place] ?? command.value.conditions[0]?.key ?? EMPTY_KEY;
    case "deleteRange":
    case "scan":
      return command.value.startKey;
    case undefined:
      return EMPTY_KEY;
    default:
      return assertNever(command, "request");
  }
}

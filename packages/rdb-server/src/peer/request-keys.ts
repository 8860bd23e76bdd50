import { type Region, assertNever, compareEndKeys, compareKeys, keyInRange } from "@flaredb/rdb-base";
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

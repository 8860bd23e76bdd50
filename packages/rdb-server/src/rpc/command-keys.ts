import {
  type KeyRange,
  type Region,
  RdbError,
  assertNever,
  compareEndKeys,
  formatKey,
  keyInRange,
} from "@flaredb/rdb-base";
import type { KvRequest } from "@flaredb/rdb-proto";

type Command = Exclude<KvRequest["command"], { case: undefined }>;

/** By which key the Region of a unary request is found. */
export interface RouteKey {
  readonly key: Uint8Array;
  /** The Region that holds what is just before `key` (empty: the last Region): for reverse scans. */
  readonly before: boolean;
}

/** The key by which a command's Region is found. The command was validated. */
export function routeKeyOf(command: Command): RouteKey {
  if (command.case === "scan") {
    const { reverse, startKey, endKey } = command.value;
    return reverse ? { key: endKey, before: true } : { key: startKey, before: false };
  }
  const [first] = keysOf(command);
  return { key: first as Uint8Array, before: false };
}

/** Whether a range has the keys that the route key stands for. */
export function holdsRouteKey(range: KeyRange, { key, before }: RouteKey): boolean {
  if (!before) {
    return keyInRange(key, range);
  }
  // A range that holds a key below `key` and reaches up to it.
  const startsBelow =
    key.length === 0 || compareEndKeys(range.startKey, key) < 0 || range.startKey.length === 0;
  return startsBelow && compareEndKeys(key, range.endKey) <= 0;
}

/**
 * A unary request is answered by one Region. (A scan gives the part of its range that lies there.)
 *
 * @throws RdbError RDB_INVALID_ARGUMENT naming two keys of different Regions
 */
export function checkOneRegion(command: Command, region: Region): void {
  if (command.case === "scan") {
    return;
  }
  const keys = keysOf(command);
  const outside =
    command.case === "deleteRange"
      ? rangeEndOutside(command.value, region)
      : keys.find((key) => !keyInRange(key, region));
  if (outside !== undefined) {
    const [first] = keys;
    throw new RdbError(
      "RDB_INVALID_ARGUMENT",
      `keys "${formatKey(first as Uint8Array)}" and "${formatKey(outside)}" lie in different Regions: send one request for each Region, or use the SDK`,
      { details: { field: "keys" } },
    );
  }
}

function rangeEndOutside(range: KeyRange, region: Region): Uint8Array | undefined {
  return compareEndKeys(range.endKey, region.endKey) > 0 ? range.endKey : undefined;
}

/** At least one: empty batches were refused. */
function keysOf(command: Command): readonly Uint8Array[] {
  switch (command.case) {
    case "get":
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return [command.value.key];
    case "batchGet":
    case "batchDelete":
      return command.value.keys;
    case "batchPut":
      return command.value.rows.map((row) => row.key);
    case "conditionalBatch":
      return [
        ...command.value.conditions.map((condition) => condition.key),
        ...command.value.mutations.flatMap(({ operation }) => {
          switch (operation.case) {
            case "put":
              return [operation.value.key];
            case "delete":
              return [operation.value];
            case undefined:
              return [];
          }
        }),
      ];
    case "scan":
    case "deleteRange":
      return [command.value.startKey];
    default:
      return assertNever(command, "command");
  }
}

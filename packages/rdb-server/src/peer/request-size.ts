import { KiB } from "@flaredb/rdb-base";
import type { KvRequest } from "@flaredb/rdb-proto";

/** What an encoded operation has beside its keys and values, about. */
const OPERATION_OVERHEAD_BYTES = 16;

/** About what a value takes that an answer gives back. */
const PREVIOUS_USUAL_BYTES = 16 * KiB;

/**
 * About how many bytes of answers are kept for a write beside what the entry holds: the row of an entry must not grow
 * without bound by values that its requests do not hold.
 */
export function keptAnswerSizeBytes(command: KvRequest["command"]): number {
  const returnsPrevious =
    (command.case === "compareAndSwap" || command.case === "compareAndDelete") &&
    command.value.returnPrevious;
  return returnsPrevious ? PREVIOUS_USUAL_BYTES : 0;
}

/** About how many bytes a write adds to an entry of the log. */
export function requestSizeBytes(command: KvRequest["command"]): number {
  switch (command.case) {
    case "put":
      return OPERATION_OVERHEAD_BYTES + command.value.key.length + command.value.value.length;
    case "delete":
      return OPERATION_OVERHEAD_BYTES + command.value.key.length;
    case "batchPut":
      return sum(command.value.rows, (row) => row.key.length + row.value.length);
    case "batchDelete":
      return sum(command.value.keys, (key) => key.length);
    case "compareAndSwap":
    case "compareAndDelete":
      return compareSizeBytes(command);
    case "conditionalBatch":
      return (
        sum(command.value.conditions, (condition) => condition.key.length) +
        sum(command.value.mutations, ({ operation }) => {
          if (operation.case === "put") {
            return operation.value.key.length + operation.value.value.length;
          }
          return operation.case === "delete" ? operation.value.length : 0;
        })
      );
    case "deleteRange":
      return OPERATION_OVERHEAD_BYTES + command.value.startKey.length + command.value.endKey.length;
    default:
      return OPERATION_OVERHEAD_BYTES;
  }
}

function compareSizeBytes(
  command: Extract<KvRequest["command"], { case: "compareAndSwap" | "compareAndDelete" }>,
): number {
  const { key, expect } = command.value;
  const expected = expect?.condition.case === "value" ? expect.condition.value.length : 0;
  const written = command.case === "compareAndSwap" ? command.value.value.length : 0;
  return OPERATION_OVERHEAD_BYTES + key.length + expected + written;
}

function sum<Item>(items: readonly Item[], sizeBytes: (item: Item) => number): number {
  return items.reduce((total, item) => total + OPERATION_OVERHEAD_BYTES + sizeBytes(item), 0);
}

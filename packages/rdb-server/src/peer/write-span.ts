import { assert, assertNever, compareEndKeys, compareKeys } from "@flaredb/rdb-base";
import type { LogCommand, WriteCommand } from "@flaredb/rdb-proto";

/** A write as an entry holds it: one that shares its entry with others, or a deleteRange. */
export type Write = WriteCommand["command"] | Extract<LogCommand["command"], { case: "deleteRange" }>;

/** From the first to the last key that a write speaks of; of a deleteRange, the range. */
export interface WriteSpan {
  readonly firstKey: Uint8Array;
  /** The same object as `firstKey` when there is one key. */
  readonly lastKey: Uint8Array;
}

export function spanOf(write: Write): WriteSpan {
  switch (write.case) {
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return { firstKey: write.value.key, lastKey: write.value.key };
    case "batchPut":
      return spanOfKeys(write.value.rows.map((row) => row.key));
    case "batchDelete":
      return spanOfKeys(write.value.keys);
    case "conditionalBatch":
      return spanOfKeys([
        ...write.value.conditions.map((condition) => condition.key),
        ...write.value.mutations.map(({ operation }) => {
          assert(operation.case !== undefined, "a mutation puts or deletes");
          return operation.case === "put" ? operation.value.key : operation.value;
        }),
      ]);
    case "deleteRange":
      return { firstKey: write.value.startKey, lastKey: write.value.endKey };
    case undefined:
      return assert(false, "a write command has a case") as never;
    default:
      return assertNever(write, "write");
  }
}

/** Whether all that a write speaks of lies inside a span of the same kind of command. */
export function spanCovers(span: WriteSpan, write: Write): boolean {
  const { firstKey, lastKey } = spanOf(write);
  const compareLast = write.case === "deleteRange" ? compareEndKeys : compareKeys;
  return compareKeys(span.firstKey, firstKey) <= 0 && compareLast(lastKey, span.lastKey) <= 0;
}

function spanOfKeys(keys: readonly Uint8Array[]): WriteSpan {
  const [first] = keys;
  assert(first !== undefined, "a batch is not empty");
  let firstKey = first;
  let lastKey = first;
  for (const key of keys) {
    if (compareKeys(key, firstKey) < 0) {
      firstKey = key;
    } else if (compareKeys(key, lastKey) > 0) {
      lastKey = key;
    }
  }
  return { firstKey, lastKey };
}

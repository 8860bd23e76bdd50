import { assert, assertNever, keysEqual } from "@flaredb/rdb-base";
import type { Expectation, KvResponse, Mutation, Row, WriteCommand } from "@flaredb/rdb-proto";
import type { ApplyView, VersionedValue } from "./apply-view.ts";

/** The answer to a write, without the request's id. */
export type WriteResult = KvResponse["result"];

/** The Region's count of mutations, which gives each write its version. */
export interface RevisionCounter {
  revision: number;
}

/** Whether evaluating the command, or answering it, needs to read. */
export function commandReads(command: WriteCommand["command"]): boolean {
  return command.case !== "put" && command.case !== "batchPut";
}

/**
 * Applies one write to the state machine, the same on every peer: what it does depends only on the rows and the
 * revision. Each put and delete takes one revision, whether or not there was such a key; a comparison that fails
 * takes none.
 *
 * @param wantsResult whether somebody waits for the answer; without, reads that only the answer needs are left out
 */
export function evaluateWrite(
  command: WriteCommand["command"],
  view: ApplyView,
  counter: RevisionCounter,
  wantsResult: boolean,
): WriteResult {
  switch (command.case) {
    case "put": {
      const { key, value } = command.value;
      view.put(key, value, ++counter.revision);
      return {
        case: "put",
        value: { $typeName: "rdb.v1.PutResponse", version: BigInt(counter.revision) },
      };
    }
    case "delete": {
      const deleted = deleteKey(command.value.key, view, counter, wantsResult);
      const revision = BigInt(counter.revision);
      return { case: "delete", value: { $typeName: "rdb.v1.DeleteResponse", deleted, revision } };
    }
    case "batchPut": {
      for (const row of command.value.rows) {
        view.put(row.key, row.value, ++counter.revision);
      }
      const version = BigInt(counter.revision);
      const rowCount = command.value.rows.length;
      return { case: "batchPut", value: { $typeName: "rdb.v1.BatchPutResponse", version, rowCount } };
    }
    case "batchDelete": {
      let deletedCount = 0;
      for (const key of command.value.keys) {
        deletedCount += deleteKey(key, view, counter, wantsResult) ? 1 : 0;
      }
      const revision = BigInt(counter.revision);
      const keyCount = command.value.keys.length;
      return {
        case: "batchDelete",
        value: { $typeName: "rdb.v1.BatchDeleteResponse", deletedCount, revision, keyCount },
      };
    }
    case "compareAndSwap":
    case "compareAndDelete":
      return compareAndWrite(command, view, counter);
    case "conditionalBatch":
      return conditionalBatch(command.value, view, counter);
    case undefined:
      // Decoded commands are checked before; an unknown one halts the peer there.
      return assert(false, "a write command has a case") as never;
    default:
      return assertNever(command, "write command");
  }
}

function deleteKey(
  key: Uint8Array,
  view: ApplyView,
  counter: RevisionCounter,
  wantsResult: boolean,
): boolean {
  const existed = wantsResult && view.get(key) !== undefined;
  view.delete(key);
  counter.revision++;
  return existed;
}

type CompareCommand = Extract<WriteCommand["command"], { case: "compareAndSwap" | "compareAndDelete" }>;

function compareAndWrite(command: CompareCommand, view: ApplyView, counter: RevisionCounter): WriteResult {
  const { key, expect, returnPrevious } = command.value;
  const found = view.get(key);
  const succeeded = holds(expect, found);
  const previous = returnPrevious && found !== undefined ? { previous: row(key, found) } : {};
  if (command.case === "compareAndDelete") {
    if (succeeded && found !== undefined) {
      view.delete(key);
      counter.revision++;
    }
    const version = BigInt(found?.version ?? 0);
    return {
      case: "compareAndDelete",
      value: {
        $typeName: "rdb.v1.CompareAndDeleteResponse",
        succeeded,
        version,
        revision: BigInt(counter.revision),
        ...previous,
      },
    };
  }
  if (succeeded) {
    view.put(key, command.value.value, ++counter.revision);
  }
  const version = BigInt(succeeded ? counter.revision : (found?.version ?? 0));
  return {
    case: "compareAndSwap",
    value: {
      $typeName: "rdb.v1.CompareAndSwapResponse",
      succeeded,
      version,
      revision: BigInt(counter.revision),
      ...previous,
    },
  };
}

function conditionalBatch(
  batch: Extract<WriteCommand["command"], { case: "conditionalBatch" }>["value"],
  view: ApplyView,
  counter: RevisionCounter,
): WriteResult {
  const failedConditions: number[] = [];
  for (const [place, condition] of batch.conditions.entries()) {
    if (BigInt(view.get(condition.key)?.version ?? 0) !== condition.version) {
      failedConditions.push(place);
    }
  }
  const succeeded = failedConditions.length === 0;
  if (succeeded) {
    for (const mutation of batch.mutations) {
      applyMutation(mutation, view, counter);
    }
  }
  const revision = BigInt(counter.revision);
  return {
    case: "conditionalBatch",
    value: { $typeName: "rdb.v1.ConditionalBatchResponse", succeeded, revision, failedConditions },
  };
}

function applyMutation(mutation: Mutation, view: ApplyView, counter: RevisionCounter): void {
  const operation = mutation.operation;
  if (operation.case === "put") {
    view.put(operation.value.key, operation.value.value, ++counter.revision);
  } else if (operation.case === "delete") {
    view.delete(operation.value);
    counter.revision++;
  } else {
    assert(false, "a mutation puts or deletes");
  }
}

/** No expectation, or an empty one, always holds. */
function holds(expect: Expectation | undefined, found: VersionedValue | undefined): boolean {
  const condition = expect?.condition;
  switch (condition?.case) {
    case undefined:
      return true;
    case "version":
      return found !== undefined && BigInt(found.version) === condition.value;
    case "value":
      return found !== undefined && keysEqual(found.value, condition.value);
    case "absent":
      return found === undefined;
  }
}

function row(key: Uint8Array, found: VersionedValue): Row {
  return { $typeName: "rdb.v1.Row", key, value: found.value, version: BigInt(found.version) };
}

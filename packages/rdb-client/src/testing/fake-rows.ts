import { compareKeys, formatKey, keysEqual } from "@flaredb/rdb-base";
import type { Expectation, KvRequest, KvResponse, ScanRequest } from "@flaredb/rdb-proto";

type Result = KvResponse["result"];

interface StoredRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: bigint;
}

/** The range of a fake Region. */
interface Range {
  readonly startKey: Uint8Array;
  readonly endKey: Uint8Array;
}

/** All rows of a fake cluster, evaluated one request after the other. What it answers is right by construction. */
export class FakeRows {
  #rows: StoredRow[] = [];
  #revision = 0n;
  /** How often each key was written or deleted. */
  readonly writeCounts = new Map<string, number>();

  get(key: Uint8Array): StoredRow | undefined {
    return this.#rows.find((row) => keysEqual(row.key, key));
  }

  get all(): readonly StoredRow[] {
    return this.#rows;
  }

  /** @throws Error when a key lies outside the Region: the client sent it to the wrong one */
  evaluate(command: KvRequest["command"], range: Range): Result {
    for (const key of keysOf(command)) {
      if (!isWithin(key, range)) {
        throw new Error(`${command.case} of key "${formatKey(key)}" was sent to another Region`);
      }
    }
    const revision = (): bigint => this.#revision;
    switch (command.case) {
      case "get": {
        const row = this.get(command.value.key);
        return {
          case: "get",
          value: {
            $typeName: "rdb.v1.GetResponse",
            found: row !== undefined,
            value: row?.value ?? new Uint8Array(0),
            version: row?.version ?? 0n,
            revision: revision(),
          },
        };
      }
      case "put":
        return {
          case: "put",
          value: {
            $typeName: "rdb.v1.PutResponse",
            version: this.#put(command.value.key, command.value.value),
          },
        };
      case "delete": {
        const deleted = this.#delete(command.value.key);
        return {
          case: "delete",
          value: { $typeName: "rdb.v1.DeleteResponse", deleted, revision: revision() },
        };
      }
      case "batchGet": {
        const rows = command.value.keys.flatMap((key) => wireRows(this.get(key)));
        return {
          case: "batchGet",
          value: { $typeName: "rdb.v1.BatchGetResponse", rows, revision: revision() },
        };
      }
      case "batchPut": {
        let version = 0n;
        for (const row of command.value.rows) {
          version = this.#put(row.key, row.value);
        }
        return {
          case: "batchPut",
          value: { $typeName: "rdb.v1.BatchPutResponse", version, rowCount: command.value.rows.length },
        };
      }
      case "batchDelete": {
        const deletedCount = command.value.keys.filter((key) => this.#delete(key)).length;
        return {
          case: "batchDelete",
          value: {
            $typeName: "rdb.v1.BatchDeleteResponse",
            deletedCount,
            revision: revision(),
            keyCount: command.value.keys.length,
          },
        };
      }
      case "deleteRange": {
        for (const row of this.#within(command.value)) {
          this.#delete(row.key);
        }
        return {
          case: "deleteRange",
          value: { $typeName: "rdb.v1.DeleteRangeResponse", revision: revision() },
        };
      }
      case "scan":
        return this.#scan(command.value, range);
      case "compareAndSwap": {
        const { key, expect, value, returnPrevious } = command.value;
        const before = this.get(key);
        const succeeded = meets(before, expect);
        const version = succeeded ? this.#put(key, value) : (before?.version ?? 0n);
        const [previous] = returnPrevious ? wireRows(before) : [];
        return {
          case: "compareAndSwap",
          value: {
            $typeName: "rdb.v1.CompareAndSwapResponse",
            succeeded,
            version,
            revision: revision(),
            ...(previous && { previous }),
          },
        };
      }
      case "compareAndDelete": {
        const { key, expect, returnPrevious } = command.value;
        const before = this.get(key);
        const succeeded = meets(before, expect);
        if (succeeded) {
          this.#delete(key);
        }
        const [previous] = returnPrevious ? wireRows(before) : [];
        return {
          case: "compareAndDelete",
          value: {
            $typeName: "rdb.v1.CompareAndDeleteResponse",
            succeeded,
            version: before?.version ?? 0n,
            revision: revision(),
            ...(previous && { previous }),
          },
        };
      }
      case "conditionalBatch": {
        const failedConditions = command.value.conditions.flatMap((condition, place) =>
          (this.get(condition.key)?.version ?? 0n) === condition.version ? [] : [place],
        );
        const succeeded = failedConditions.length === 0;
        for (const { operation } of succeeded ? command.value.mutations : []) {
          if (operation.case === "put") {
            this.#put(operation.value.key, operation.value.value);
          } else if (operation.case === "delete") {
            this.#delete(operation.value);
          }
        }
        return {
          case: "conditionalBatch",
          value: {
            $typeName: "rdb.v1.ConditionalBatchResponse",
            succeeded,
            revision: revision(),
            failedConditions,
          },
        };
      }
      case undefined:
        throw new Error("request has no command");
    }
  }

  #scan(scan: ScanRequest, region: Range): Result {
    const inside = this.#within(scan).filter((row) => isWithin(row.key, region));
    const ordered = scan.reverse ? inside.reverse() : inside;
    const page = ordered.slice(0, scan.limit === 0 ? undefined : scan.limit);
    return {
      case: "scan",
      value: {
        $typeName: "rdb.v1.ScanResponse",
        rows: page
          .flatMap((row) => wireRows(row))
          .map((row) => (scan.keysOnly ? { ...row, value: new Uint8Array(0) } : row)),
        // As a Store does, which does not look past a full page.
        hasMore: page.length === scan.limit || page.length < ordered.length,
        revision: this.#revision,
        regionStartKey: region.startKey,
        regionEndKey: region.endKey,
      },
    };
  }

  #within(range: Range): StoredRow[] {
    return this.#rows.filter((row) => isWithin(row.key, range));
  }

  #put(key: Uint8Array, value: Uint8Array): bigint {
    this.#count(key);
    this.#revision++;
    const row = { key, value, version: this.#revision };
    this.#rows = [...this.#rows.filter((other) => !keysEqual(other.key, key)), row].sort((a, b) =>
      compareKeys(a.key, b.key),
    );
    return row.version;
  }

  #delete(key: Uint8Array): boolean {
    this.#count(key);
    this.#revision++;
    const before = this.#rows.length;
    this.#rows = this.#rows.filter((row) => !keysEqual(row.key, key));
    return this.#rows.length < before;
  }

  #count(key: Uint8Array): void {
    const name = formatKey(key);
    this.writeCounts.set(name, (this.writeCounts.get(name) ?? 0) + 1);
  }
}

function keysOf(command: KvRequest["command"]): Uint8Array[] {
  switch (command.case) {
    case "batchGet":
    case "batchDelete":
      return command.value.keys;
    case "batchPut":
      return command.value.rows.map((row) => row.key);
    case "conditionalBatch":
      return [
        ...command.value.conditions.map((condition) => condition.key),
        ...command.value.mutations.flatMap(({ operation }) =>
          operation.case === "put"
            ? [operation.value.key]
            : operation.case === "delete"
              ? [operation.value]
              : [],
        ),
      ];
    case "scan":
    case undefined:
      return [];
    case "deleteRange":
      return [command.value.startKey];
    default:
      return [command.value.key];
  }
}

/** The lowest and the highest key of a write; of a range its bounds, an empty end as a key above all. */
export function boundsOf(command: KvRequest["command"]): {
  readonly lowest: Uint8Array;
  readonly highest: Uint8Array;
} {
  if (command.case === "deleteRange") {
    const { startKey, endKey } = command.value;
    return { lowest: startKey, highest: endKey.length === 0 ? new Uint8Array(8).fill(0xff) : endKey };
  }
  const keys = keysOf(command).toSorted(compareKeys);
  return { lowest: keys[0] ?? new Uint8Array(0), highest: keys.at(-1) ?? new Uint8Array(0) };
}

function isWithin(key: Uint8Array, range: Range): boolean {
  return (
    compareKeys(key, range.startKey) >= 0 && (range.endKey.length === 0 || compareKeys(key, range.endKey) < 0)
  );
}

function meets(row: StoredRow | undefined, expect: Expectation | undefined): boolean {
  const condition = expect?.condition;
  switch (condition?.case) {
    case "version":
      return row?.version === condition.value;
    case "value":
      return row !== undefined && keysEqual(row.value, condition.value);
    case "absent":
      return row === undefined;
    case undefined:
      return true;
  }
}

function wireRows(row: StoredRow | undefined): (StoredRow & { $typeName: "rdb.v1.Row" })[] {
  return row === undefined ? [] : [{ $typeName: "rdb.v1.Row", ...row }];
}

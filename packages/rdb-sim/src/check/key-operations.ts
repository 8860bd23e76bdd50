import {
  type Call,
  type Condition,
  type ConditionalCall,
  type SeenRow,
  type WriteCall,
  keyIsBetween,
  keysOf,
} from "./history.ts";
import type { TimedOp } from "./linearizability.ts";
import type { Pattern, RegisterOp } from "./register-model.ts";

/** What a call was to one key, with the call. */
export interface KeyOperation extends TimedOp<RegisterOp> {
  readonly call: Call;
}

/** A key's part of a call; undefined when the call says nothing of it. */
type Part = RegisterOp | undefined;

const NO_ROWS: ReadonlyMap<string, SeenRow> = new Map();

/** The history of each key, from that of the calls. Linearizability is local: every key can be judged alone. */
export function operationsByKey(calls: readonly Call[]): Map<string, KeyOperation[]> {
  const byKey = new Map<string, KeyOperation[]>();
  for (const key of calls.flatMap(keysOf)) {
    byKey.set(key, byKey.get(key) ?? []);
  }
  const sortedKeys = [...byKey.keys()].sort();
  for (const call of calls) {
    const rows = "rows" in call ? new Map(call.rows.map((row) => [row.key, row])) : NO_ROWS;
    for (const key of keysTouched(call, sortedKeys)) {
      const part = partOf(call, key, rows.get(key));
      if (part !== undefined) {
        byKey.get(key)?.push(operation(call, part));
      }
    }
  }
  return byKey;
}

function operation(call: Call, op: RegisterOp): KeyOperation {
  const isOptional = call.outcome === "unknown";
  return {
    call,
    op,
    startNs: call.startNs,
    endNs: isOptional ? Number.POSITIVE_INFINITY : call.endNs,
    isOptional,
  };
}

/** A range concerns every key of the history that lies in it. */
function keysTouched(call: Call, sortedKeys: readonly string[]): readonly string[] {
  if (call.op !== "scan" && call.op !== "deleteRange") {
    return keysOf(call);
  }
  return sortedKeys.filter((key) => keyIsBetween(key, call.from, call.to));
}

function partOf(call: Call, key: string, row: SeenRow | undefined): Part {
  if (call.outcome === "fail") {
    return undefined;
  }
  switch (call.op) {
    case "get":
    case "batchGet":
    case "scan": {
      const pattern: Pattern =
        row === undefined ? { kind: "absent" } : { kind: "row", value: row.value, version: row.version };
      return call.outcome === "ok" ? { fits: [pattern], ...revisionOf(call, 0) } : undefined;
    }
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
      return { ...deletedPart(call), ...writePart(call, key) };
    case "cas":
    case "conditionalBatch":
      return conditionalPart(call, key);
    case "deleteRange":
      return { write: { value: undefined, ...revisionOf(call, 0) } };
  }
}

function deletedPart({ deleted }: WriteCall): { readonly fits?: readonly Pattern[] } {
  return deleted === undefined ? {} : { fits: [{ kind: deleted ? "present" : "absent" }] };
}

/** What the last mutation of the key writes: the call is atomic, so nobody sees the ones before. */
function writePart(
  call: WriteCall | ConditionalCall,
  key: string,
): { readonly write?: NonNullable<RegisterOp["write"]> } {
  const place = call.mutations.findLastIndex((mutation) => mutation.key === key);
  const mutation = call.mutations[place];
  if (mutation === undefined) {
    return {};
  }
  return { write: { value: mutation.value, ...revisionOf(call, call.mutations.length - 1 - place) } };
}

function conditionalPart(call: ConditionalCall, key: string): Part {
  const own = call.conditions.filter((condition) => condition.key === key);
  if (call.outcome === "unknown" || call.succeeded === true) {
    const looksAt = call.outcome === "ok" ? revisionOf(call, call.mutations.length) : {};
    return { ...list("fits", own.map(patternOf)), ...looksAt, ...writePart(call, key) };
  }
  if (call.metVersion !== undefined) {
    const met: Pattern =
      call.metVersion === 0 ? { kind: "absent" } : { kind: "version", version: call.metVersion };
    return { fits: [met], ...list("misfits", own.map(patternOf)), ...revisionOf(call, 0) };
  }
  const hasFailed = (condition: Condition): boolean =>
    call.failedConditions?.includes(call.conditions.indexOf(condition)) ?? true;
  const failed = own.filter(hasFailed);
  if (call.conditions.length > 1 && call.failedConditions === undefined) {
    // One of them did not hold; which one is not known.
    return undefined;
  }
  return {
    ...list("fits", own.filter((condition) => !hasFailed(condition)).map(patternOf)),
    ...list("misfits", failed.map(patternOf)),
    ...revisionOf(call, 0),
  };
}

function patternOf({ expect }: Condition): Pattern {
  return expect;
}

function list<Name extends "fits" | "misfits">(
  name: Name,
  patterns: readonly Pattern[],
): { readonly [Key in Name]?: readonly Pattern[] } {
  return patterns.length === 0
    ? {}
    : ({ [name]: patterns } as { readonly [Key in Name]: readonly Pattern[] });
}

/** The revision that lies `before` writes of the call ahead of its last one. */
function revisionOf(call: Call, before: number): { readonly revision?: number } {
  return call.shown === undefined ? {} : { revision: call.shown.revision - before };
}

import type {
  Call,
  CallFrame,
  ConditionalCall,
  DeleteRangeCall,
  Expectation,
  Mutation,
  ReadCall,
  ScanCall,
  SeenRow,
  WriteCall,
} from "../check/history.ts";

/** When a call ran, in ns, and by whom. */
export interface When {
  readonly from: number;
  readonly to: number;
  readonly client?: string;
  /** Of the Region. Left out: the answer does not tell. */
  readonly revision?: number;
  /** Default 1. */
  readonly region?: number;
}

function frame(when: When, outcome: Call["outcome"] = "ok"): CallFrame {
  const { from, to, client = `client${from}`, revision, region = 1 } = when;
  const shown = revision === undefined ? {} : { shown: { regionId: region, revision } };
  return { client, startNs: from, endNs: to, outcome, ...shown };
}

export function row(key: string, value: string, version: number): SeenRow {
  return { key, value, version };
}

export function put(key: string, value: string, when: When): WriteCall {
  return { ...frame(when), op: "put", mutations: [{ key, value }] };
}

export function batchPut(rows: Readonly<Record<string, string>>, when: When): WriteCall {
  const mutations = Object.entries(rows).map(([key, value]) => ({ key, value }));
  return { ...frame(when), op: "batchPut", mutations };
}

export function remove(key: string, when: When, deleted?: boolean): WriteCall {
  const told = deleted === undefined ? {} : { deleted };
  return { ...frame(when), op: "delete", mutations: [{ key, value: undefined }], ...told };
}

/** @param seen the row, or undefined: no such key */
export function get(key: string, seen: SeenRow | undefined, when: When): ReadCall {
  return { ...frame(when), op: "get", keys: [key], rows: seen === undefined ? [] : [seen] };
}

export function batchGet(keys: readonly string[], rows: readonly SeenRow[], when: When): ReadCall {
  return { ...frame(when), op: "batchGet", keys, rows };
}

export function scan(
  range: readonly [from: string, to: string],
  rows: readonly SeenRow[],
  when: When,
): ScanCall {
  return { ...frame(when), op: "scan", from: range[0], to: range[1], rows };
}

export function deleteRange(range: readonly [from: string, to: string], when: When): DeleteRangeCall {
  return { ...frame(when), op: "deleteRange", from: range[0], to: range[1] };
}

/** @param met true: it succeeded; else the version that it met, or 0 */
export function cas(
  key: string,
  expect: Expectation,
  value: string,
  met: true | number,
  when: When,
): ConditionalCall {
  return {
    ...frame(when),
    op: "cas",
    conditions: [{ key, expect }],
    mutations: [{ key, value }],
    succeeded: met === true,
    ...(met === true ? {} : { metVersion: met }),
  };
}

/** @param failed places of the conditions that did not hold; none: it succeeded */
export function conditionalBatch(
  versions: Readonly<Record<string, number>>,
  mutations: readonly Mutation[],
  failed: readonly number[],
  when: When,
): ConditionalCall {
  const conditions = Object.entries(versions).map(([key, version]) => {
    const expect: Expectation = version === 0 ? { kind: "absent" } : { kind: "version", version };
    return { key, expect };
  });
  const succeeded = failed.length === 0;
  return {
    ...frame(when),
    op: "conditionalBatch",
    conditions,
    mutations,
    succeeded,
    ...(succeeded ? {} : { failedConditions: failed }),
  };
}

/** The same call, of which nobody knows whether it took effect. */
export function unknown<Kind extends Call>(call: Kind): Kind {
  return unanswered(call, "unknown");
}

/** The same call, which certainly had no effect. */
export function failed<Kind extends Call>(call: Kind): Kind {
  return unanswered(call, "fail");
}

function unanswered<Kind extends Call>(call: Kind, outcome: Call["outcome"]): Kind {
  const { shown: _, ...rest } = call;
  return { ...rest, outcome } as Kind;
}

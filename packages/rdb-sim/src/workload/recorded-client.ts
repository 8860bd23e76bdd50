import type { RdbError } from "@flaredb/rdb-base";
import type { RdbClient, ReadFrom, Row } from "@flaredb/rdb-client";
import type { Call, CallFrame, Condition, Expectation, Mutation, SeenRow } from "../check/history.ts";
import { text } from "./answered-call.ts";
import type { CallRecorder, Ended } from "./call-recorder.ts";

export interface RecordedClientOptions {
  /** As the history names it. Calls one at a time. */
  readonly name: string;
  readonly recorder: CallRecorder;
  /** The production client; undefined while its process does not run. */
  readonly client: () => RdbClient | undefined;
}

/** What a range read asks for. `end` empty: no end. */
export interface RangeRead {
  readonly start: string;
  readonly end: string;
  readonly reverse?: boolean;
  readonly pageSize?: number;
  readonly limit?: number;
}

/** The production client with text for bytes, each of whose calls ends up in the history. */
export class RecordedClient {
  readonly name: string;
  readonly #recorder: CallRecorder;
  readonly #client: () => RdbClient | undefined;

  constructor({ name, recorder, client }: RecordedClientOptions) {
    this.name = name;
    this.#recorder = recorder;
    this.#client = client;
  }

  /** Whether calls can be made now: the client's process runs. */
  get isReady(): boolean {
    return this.#client() !== undefined;
  }

  async get(key: string, readFrom: ReadFrom = "leader"): Promise<Ended<SeenRow | undefined>> {
    const unanswered = (frame: CallFrame): Call[] => [
      { ...asFailed(frame), op: "get", keys: [key], rows: [] },
    ];
    const plan = { command: "get", keys: [key], unanswered } as const;
    return mapped(
      await this.#call(plan, (client) => client.get(key, { readFrom })),
      (row) => row && seen(row),
    );
  }

  async batchGet(
    keys: readonly string[],
    readFrom: ReadFrom = "leader",
  ): Promise<Ended<(SeenRow | undefined)[]>> {
    const unanswered = (frame: CallFrame): Call[] => [{ ...asFailed(frame), op: "batchGet", keys, rows: [] }];
    const plan = { command: "batchGet", keys, unanswered } as const;
    const ended = await this.#call(plan, (client) => client.batchGet(keys, { readFrom }));
    return mapped(ended, (rows) => rows.map((row) => row && seen(row)));
  }

  async scan(range: RangeRead, readFrom: ReadFrom = "leader"): Promise<Ended<SeenRow[]>> {
    const { start, end, reverse, ...paging } = range;
    const unanswered = (frame: CallFrame): Call[] => [
      { ...asFailed(frame), op: "scan", from: start, to: end, rows: [] },
    ];
    const plan = { command: "scan", keys: [], unanswered } as const;
    const options = { start, end, readFrom, ...paging };
    const ended = await this.#call(plan, (client) =>
      (reverse === true ? client.scanReverse(options) : client.scan(options)).toArray(),
    );
    return mapped(ended, (rows) => rows.map(seen));
  }

  put(key: string, value: string): Promise<Ended<{ readonly version: number }>> {
    const unanswered = (frame: CallFrame): Call[] => [{ ...frame, op: "put", mutations: [{ key, value }] }];
    return this.#call({ command: "put", keys: [key], unanswered }, (client) => client.put(key, value));
  }

  delete(key: string): Promise<Ended<unknown>> {
    const unanswered = (frame: CallFrame): Call[] => [
      { ...frame, op: "delete", mutations: [{ key, value: undefined }] },
    ];
    return this.#call({ command: "delete", keys: [key], unanswered }, (client) => client.delete(key));
  }

  batchPut(rows: readonly { readonly key: string; readonly value: string }[]): Promise<Ended<unknown>> {
    const unanswered = (frame: CallFrame, error: RdbError): Call[] => partsOf("batchPut", rows, frame, error);
    const keys = rows.map(({ key }) => key);
    return this.#call({ command: "batchPut", keys, unanswered }, (client) => client.batchPut(rows));
  }

  batchDelete(keys: readonly string[]): Promise<Ended<unknown>> {
    const deletions = keys.map((key): Mutation => ({ key, value: undefined }));
    const unanswered = (frame: CallFrame, error: RdbError): Call[] =>
      partsOf("batchDelete", deletions, frame, error);
    return this.#call({ command: "batchDelete", keys, unanswered }, (client) => client.batchDelete(keys));
  }

  deleteRange(start: string, end: string): Promise<Ended<unknown>> {
    const unanswered = (frame: CallFrame, error: RdbError): Call[] => {
      const { remainingStart: from = start, remainingEnd: to = end } = error.details;
      const isCut = from instanceof Uint8Array && to instanceof Uint8Array;
      return [
        {
          ...frame,
          op: "deleteRange",
          ...(isCut ? { from: text(from), to: text(to) } : { from: start, to: end }),
        },
      ];
    };
    const plan = { command: "deleteRange", keys: [], unanswered } as const;
    return this.#call(plan, (client) => client.deleteRange({ start, end }));
  }

  compareAndSwap(
    key: string,
    expect: Expectation,
    value: string,
  ): Promise<Ended<{ readonly succeeded: boolean }>> {
    const plan = {
      command: "compareAndSwap",
      keys: [key],
      unanswered: unansweredCas(expect, { key, value }),
    } as const;
    return this.#call(plan, (client) => client.compareAndSwap(key, sdkExpectation(expect), value));
  }

  /** Not with `absent`: the history has no such call. */
  compareAndDelete(
    key: string,
    expect: Exclude<Expectation, { kind: "absent" }>,
  ): Promise<Ended<{ readonly succeeded: boolean }>> {
    const unanswered = unansweredCas(expect, { key, value: undefined });
    const plan = { command: "compareAndDelete", keys: [key], unanswered } as const;
    return this.#call(plan, (client) => client.compareAndDelete(key, sdkExpectation(expect)));
  }

  /** @param versions what each key must have; 0: it must not exist */
  conditionalBatch(
    versions: ReadonlyMap<string, number>,
    mutations: readonly Mutation[],
  ): Promise<Ended<{ readonly succeeded: boolean }>> {
    const conditions = [...versions].map(([key, version]): Condition => {
      return { key, expect: version === 0 ? { kind: "absent" } : { kind: "version", version } };
    });
    const unanswered = (frame: CallFrame): Call[] => [
      { ...frame, op: "conditionalBatch", conditions, mutations },
    ];
    const keys = mutations.map(({ key }) => key);
    return this.#call({ command: "conditionalBatch", keys, unanswered }, (client) =>
      client.conditionalBatch({
        conditions: [...versions].map(([key, version]) =>
          version === 0 ? { key, absent: true } : { key, version },
        ),
        mutations: mutations.map(({ key, value }) =>
          value === undefined ? { delete: key } : { put: key, value },
        ),
      }),
    );
  }

  #call<Result>(
    plan: Parameters<CallRecorder["call"]>[1],
    run: (client: RdbClient) => Promise<Result>,
  ): Promise<Ended<Result>> {
    const client = this.#client();
    if (client === undefined) {
      return Promise.reject(new Error(`${this.name} calls although its process does not run`));
    }
    return this.#recorder.call(this.name, plan, () => run(client));
  }
}

/** A read that is not answered says nothing, whatever its error says of writes. */
function asFailed(frame: CallFrame): CallFrame {
  return { ...frame, outcome: "fail" };
}

function unansweredCas(expect: Expectation, mutation: Mutation): (frame: CallFrame) => Call[] {
  const conditions = [{ key: mutation.key, expect }];
  return (frame) => [{ ...frame, op: "cas", conditions, mutations: [mutation] }];
}

/** What is left of a batch of which the error says which keys are applied; those were noted when they were answered. */
function partsOf(
  op: "batchPut" | "batchDelete",
  mutations: readonly Mutation[],
  frame: CallFrame,
  { details }: RdbError,
): Call[] {
  const named = (name: string): ReadonlySet<string> =>
    new Set(((details[name] ?? []) as readonly Uint8Array[]).map(text));
  const [applied, unknown, notApplied] = [named("applied"), named("unknown"), named("notApplied")];
  return mutations.flatMap((mutation): Call[] => {
    const { key } = mutation;
    if (applied.has(key)) {
      return [];
    }
    const outcome = unknown.has(key) ? "unknown" : notApplied.has(key) ? "fail" : frame.outcome;
    return [{ ...frame, outcome, op, mutations: [mutation] }];
  });
}

function sdkExpectation(expect: Expectation) {
  switch (expect.kind) {
    case "version":
      return { version: expect.version };
    case "value":
      return { value: expect.value };
    case "absent":
      return { absent: true } as const;
  }
}

function seen(row: Row): SeenRow {
  return { key: row.keyText(), value: row.text(), version: row.version };
}

function mapped<From, To>(ended: Ended<From>, map: (result: From) => To): Ended<To> {
  return ended.outcome === "ok" ? { outcome: "ok", result: map(ended.result) } : ended;
}

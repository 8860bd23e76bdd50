import { safeInteger } from "@flaredb/rdb-base";
import type { AnswerTrace } from "@flaredb/rdb-client";
import type {
  Expectation as WireExpectation,
  KvRequest,
  KvResponse,
  Mutation as WireMutation,
} from "@flaredb/rdb-proto";
import type { Call, CallFrame, Condition, Expectation, Mutation, SeenRow } from "../check/history.ts";

type Command = KvRequest["command"];
type Result = KvResponse["result"];
type CommandOf<Name extends string> = Extract<Command, { case: Name }>["value"];
type ResultOf<Name extends string> = Extract<Result, { case: Name }>["value"];

/** The call that one answer of one Region ended, or a part of the call, as the history has it. */
export function answeredCall(
  { command, result, regionId }: AnswerTrace,
  times: { readonly client: string; readonly startNs: number; readonly endNs: number },
): Call {
  const frame = (revision: bigint): CallFrame => ({
    ...times,
    outcome: "ok",
    shown: { regionId, revision: number(revision) },
  });
  switch (command.case) {
    case "get": {
      const { key } = command.value;
      const answer = of("get", result);
      const rows = answer.found
        ? [{ key: text(key), value: text(answer.value), version: number(answer.version) }]
        : [];
      return { ...frame(answer.revision), op: "get", keys: [text(key)], rows };
    }
    case "batchGet": {
      const answer = of("batchGet", result);
      return {
        ...frame(answer.revision),
        op: "batchGet",
        keys: command.value.keys.map(text),
        rows: answer.rows.map(row),
      };
    }
    case "scan": {
      const answer = of("scan", result);
      return {
        ...frame(answer.revision),
        op: "scan",
        ...shownRange(command.value, answer),
        rows: answer.rows.map(row),
      };
    }
    case "put":
      return { ...frame(of("put", result).version), op: "put", mutations: [keyValue(command.value)] };
    case "batchPut":
      return {
        ...frame(of("batchPut", result).version),
        op: "batchPut",
        mutations: command.value.rows.map(keyValue),
      };
    case "delete": {
      const { revision, deleted } = of("delete", result);
      return { ...frame(revision), op: "delete", mutations: [deletion(command.value.key)], deleted };
    }
    case "batchDelete": {
      const { revision } = of("batchDelete", result);
      return { ...frame(revision), op: "batchDelete", mutations: command.value.keys.map(deletion) };
    }
    case "deleteRange": {
      const { startKey, endKey } = command.value;
      return {
        ...frame(of("deleteRange", result).revision),
        op: "deleteRange",
        from: text(startKey),
        to: text(endKey),
      };
    }
    case "compareAndSwap":
      return compared(command.value, keyValue(command.value), of("compareAndSwap", result), frame);
    case "compareAndDelete":
      return compared(command.value, deletion(command.value.key), of("compareAndDelete", result), frame);
    case "conditionalBatch":
      return conditional(command.value, of("conditionalBatch", result), frame);
    case undefined:
      throw new Error("a request without a command was answered");
  }
}

function compared(
  { key, expect }: CommandOf<"compareAndSwap"> | CommandOf<"compareAndDelete">,
  mutation: Mutation,
  answer: ResultOf<"compareAndSwap"> | ResultOf<"compareAndDelete">,
  frame: (revision: bigint) => CallFrame,
): Call {
  const { succeeded, version, revision } = answer;
  return {
    ...frame(revision),
    op: "cas",
    conditions: [{ key: text(key), expect: expectation(expect) }],
    mutations: [mutation],
    succeeded,
    ...(succeeded ? {} : { metVersion: number(version) }),
  };
}

function conditional(
  { conditions, mutations }: CommandOf<"conditionalBatch">,
  { succeeded, revision, failedConditions }: ResultOf<"conditionalBatch">,
  frame: (revision: bigint) => CallFrame,
): Call {
  return {
    ...frame(revision),
    op: "conditionalBatch",
    conditions: conditions.map(({ key, version }): Condition => {
      const expect: Expectation =
        version === 0n ? { kind: "absent" } : { kind: "version", version: number(version) };
      return { key: text(key), expect };
    }),
    mutations: mutations.map(wireMutation),
    succeeded,
    ...(succeeded ? {} : { failedConditions }),
  };
}

/** Which keys a page shows all of: the Region's part of the range, up to the last row if there may be more. */
function shownRange(
  { startKey, endKey, reverse }: CommandOf<"scan">,
  { rows, hasMore, regionStartKey, regionEndKey }: ResultOf<"scan">,
): { readonly from: string; readonly to: string } {
  const [start, end, regionStart, regionEnd] = [startKey, endKey, regionStartKey, regionEndKey].map(text) as [
    string,
    string,
    string,
    string,
  ];
  const from = start > regionStart ? start : regionStart;
  const to = end === "" || (regionEnd !== "" && regionEnd < end) ? regionEnd : end;
  const last = rows.at(-1);
  if (!hasMore || last === undefined) {
    return { from, to };
  }
  return reverse ? { from: text(last.key), to } : { from, to: `${text(last.key)}\0` };
}

function expectation(expect: WireExpectation | undefined): Expectation {
  const condition = expect?.condition;
  switch (condition?.case) {
    case "version":
      return { kind: "version", version: number(condition.value) };
    case "value":
      return { kind: "value", value: text(condition.value) };
    case "absent":
      return { kind: "absent" };
    case undefined:
      throw new Error("a compare without an expectation was answered");
  }
}

function wireMutation({ operation }: WireMutation): Mutation {
  switch (operation.case) {
    case "put":
      return keyValue(operation.value);
    case "delete":
      return deletion(operation.value);
    case undefined:
      throw new Error("a mutation that neither puts nor deletes was answered");
  }
}

function of<Name extends Exclude<Result["case"], undefined>>(name: Name, result: Result): ResultOf<Name> {
  if (result.case !== name) {
    throw new Error(`a ${name} was answered with ${String(result.case)}`);
  }
  return result.value as ResultOf<Name>;
}

function row({ key, value, version }: { key: Uint8Array; value: Uint8Array; version: bigint }): SeenRow {
  return { key: text(key), value: text(value), version: number(version) };
}

function keyValue({ key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }): Mutation {
  return { key: text(key), value: text(value) };
}

function deletion(key: Uint8Array): Mutation {
  return { key: text(key), value: undefined };
}

function number(value: bigint): number {
  return safeInteger(value, "a number of an answer");
}

/** Bytes as text; the workloads write ASCII. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

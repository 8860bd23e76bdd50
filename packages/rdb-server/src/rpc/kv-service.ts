import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { RdbError, limits } from "@flaredb/rdb-base";
import {
  type KvRequest,
  type KvResponse,
  type KvService,
  type TraceContext,
  parseTraceparent,
} from "@flaredb/rdb-proto";
import { storeIsStarting } from "./starting.ts";
import { findInvalidCommand } from "./validate-request.ts";

/** Carries out one validated request; see KvRouter. */
export interface KvExecutor {
  execute(
    command: Exclude<KvRequest["command"], { case: undefined }>,
    timeoutMs: number,
    trace?: TraceContext,
  ): Promise<KvResponse["result"]>;
}

export interface KvServiceOptions {
  readonly executor: KvExecutor;
  /** Deadline of a call that names none. */
  readonly unaryTimeoutMs: number;
}

/** Unary calls under way in this process; past it RDB_SERVER_IS_BUSY. */
const CALLS_MAX_COUNT = 10_000;

type Command = Exclude<KvRequest["command"], { case: undefined }>;
type CommandOf<Case extends Command["case"]> = Extract<Command, { case: Case }>;
type ResultOf<Case extends Command["case"]> = Extract<KvResponse["result"], { case: Case }>["value"];
type UnaryMethods = Omit<ServiceImpl<typeof KvService>, "batch">;

/**
 * The unary methods of KvService, for foreign clients. Each is answered by one Region.
 *
 * @param ready asked at each call; undefined while the Store is starting
 */
export function kvUnaryService(ready: () => KvServiceOptions | undefined): UnaryMethods {
  let callCount = 0;

  async function call<Case extends Command["case"]>(
    command: CommandOf<Case>,
    context: HandlerContext,
  ): Promise<ResultOf<Case>> {
    const options = ready();
    if (options === undefined) {
      throw storeIsStarting();
    }
    const invalid = findInvalidCommand(command);
    if (invalid !== undefined) {
      throw new RdbError("RDB_INVALID_ARGUMENT", invalid.message, { details: { field: invalid.field } });
    }
    if (callCount >= CALLS_MAX_COUNT) {
      throw new RdbError("RDB_SERVER_IS_BUSY", `${CALLS_MAX_COUNT} unary calls are under way`);
    }
    callCount++;
    try {
      const timeoutMs = Math.min(context.timeoutMs() ?? options.unaryTimeoutMs, limits.deadlineMaxMs);
      const trace = parseTraceparent(context.requestHeader.get("traceparent") ?? "");
      const result = await options.executor.execute(command, timeoutMs, trace);
      return resultOf(command.case, result);
    } finally {
      callCount--;
    }
  }

  return {
    get: (value, context) => call({ case: "get", value }, context),
    batchGet: (value, context) => call({ case: "batchGet", value }, context),
    put: (value, context) => call({ case: "put", value }, context),
    batchPut: (value, context) => call({ case: "batchPut", value }, context),
    delete: (value, context) => call({ case: "delete", value }, context),
    batchDelete: (value, context) => call({ case: "batchDelete", value }, context),
    scan: (value, context) => call({ case: "scan", value }, context),
    deleteRange: (value, context) => call({ case: "deleteRange", value }, context),
    compareAndSwap: (value, context) => call({ case: "compareAndSwap", value }, context),
    compareAndDelete: (value, context) => call({ case: "compareAndDelete", value }, context),
    conditionalBatch: (value, context) => call({ case: "conditionalBatch", value }, context),
  };
}

function resultOf<Case extends Command["case"]>(
  expected: Case,
  result: KvResponse["result"],
): ResultOf<Case> {
  if (result.case !== expected) {
    throw new RdbError("RDB_INTERNAL", `a ${expected} was answered with ${result.case ?? "nothing"}`);
  }
  return result.value as ResultOf<Case>;
}

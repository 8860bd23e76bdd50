import { type Clock, RdbError, type RegionId } from "@flaredb/rdb-base";
import type { KvCallSpec, KvCommand, KvResult } from "./kv-call.ts";
import type { WriteIdentity } from "./open-writes.ts";
import type { CallOptions, ReadFrom, ReadOptions } from "./options.ts";
import type { RegionCache } from "./region-cache.ts";
import type { RequestSender } from "./request-sender.ts";
import type { ClientTracing } from "./tracing/client-tracing.ts";
import { checkDeadlineMs, checkReadFrom } from "./validate.ts";

/** What every operation works with. */
export interface ClientContext {
  readonly sender: Pick<RequestSender, "send">;
  readonly cache: RegionCache;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly readFrom: ReadFrom;
  /** Undefined: no spans are made. */
  readonly tracing?: ClientTracing | undefined;
}

/** The messages of a oneof, by the names of its cases. */
type ByCase<Union extends { readonly case: string | undefined }> = {
  [Member in Union as Member extends { case: infer Name extends string } ? Name : never]: Member extends {
    value: infer Value;
  }
    ? Value
    : never;
};

type Commands = ByCase<KvCommand>;
export type CommandName = keyof Commands;
/** What a Store answers to the command of that name. */
export type Answer<Name extends CommandName> = ByCase<KvResult>[Name];

/** When and how a call ends, if not by its answer. Made once for all the requests of one operation. */
export type Terms = Pick<KvCallSpec, "deadlineMs" | "timeoutMs" | "signal" | "readFrom">;

/** @throws RdbError RDB_INVALID_ARGUMENT */
export function termsOf(context: ClientContext, options: ReadOptions | CallOptions | undefined): Terms {
  const timeoutMs =
    options?.deadlineMs === undefined ? context.deadlineMs : checkDeadlineMs(options.deadlineMs);
  const readFrom =
    options !== undefined && "readFrom" in options && options.readFrom !== undefined
      ? checkReadFrom(options.readFrom)
      : context.readFrom;
  return {
    deadlineMs: context.clock.monotonicMs() + timeoutMs,
    timeoutMs,
    signal: options?.signal,
    readFrom,
  };
}

/** One request of an operation. */
export interface RequestSpec<Name extends CommandName> {
  readonly name: Name;
  readonly command: Commands[Name];
  /** Its Region holds this key; with `before`, what is just before it. */
  readonly key: Uint8Array;
  readonly before?: boolean;
  readonly isWrite: boolean;
  readonly sizeBytes: number;
  /** As KvCallSpec.identity. */
  readonly identity?: WriteIdentity | undefined;
  /** As KvCallSpec.admit. */
  readonly admit?: KvCallSpec["admit"];
}

/** Sends one request and turns its answer into the operation's result. Stays pending when `admit` ends it. */
export function request<Name extends CommandName, Result>(
  context: ClientContext,
  terms: Terms,
  spec: RequestSpec<Name>,
  convert: (answer: Answer<Name>, by: RegionId) => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    context.sender.send({
      name: spec.name,
      key: spec.key,
      before: spec.before === true,
      command: { case: spec.name, value: spec.command } as KvCommand,
      isWrite: spec.isWrite,
      sizeBytes: spec.sizeBytes,
      identity: spec.identity,
      admit: spec.admit,
      readFrom: terms.readFrom,
      deadlineMs: terms.deadlineMs,
      timeoutMs: terms.timeoutMs,
      signal: terms.signal,
      resolve: (result, by) => {
        try {
          resolve(convert(answerOf(spec.name, result), by));
        } catch (error) {
          reject(RdbError.from(error));
        }
      },
      reject,
    });
  });
}

function answerOf<Name extends CommandName>(name: Name, result: KvResult): Answer<Name> {
  if (result.case !== name) {
    throw new RdbError("RDB_INTERNAL", `Store answered ${name} with ${String(result.case)}`);
  }
  return result.value as Answer<Name>;
}

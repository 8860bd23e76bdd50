import { type RegionId, safeInteger } from "@flaredb/rdb-base";
import type { Expectation as WireExpectation } from "@flaredb/rdb-proto";
import { type Answer, type ClientContext, request, termsOf } from "../call-context.ts";
import type { Bytes, CallOptions } from "../options.ts";
import { type Row, rowFromWire } from "../row.ts";
import { invalid, keyBytes, valueBytes, versionBigInt } from "../validate.ts";

/** What must hold of the key for the write to happen: it has this version, or this value, or does not exist. */
export type Expectation =
  | { readonly version: number }
  | { readonly value: Bytes }
  | { readonly absent: true };

export interface CompareOptions extends CallOptions {
  /** Whether the answer is to carry the row as it was before. */
  readonly returnPrevious?: boolean;
}

export interface CompareResult {
  /** Whether the expectation held, and so the write happened. */
  readonly succeeded: boolean;
  /**
   * The key's version after a swap; else the version that was met (for a delete: and removed). Undefined when there
   * is no such key.
   */
  readonly version: number | undefined;
  /** With `returnPrevious`: the row before; undefined when there was none. Its `revision` is its version. */
  readonly previous: Row | undefined;
  /** The Region's revision after. */
  readonly revision: number;
  readonly regionId: RegionId;
}

export function compareAndSwap(
  context: ClientContext,
  key: Bytes,
  expect: Expectation,
  value: Bytes,
  options?: CompareOptions,
): Promise<CompareResult> {
  const bytes = keyBytes("key", key);
  const valueSent = valueBytes("value", value);
  const expected = expectation(expect);
  return request(
    context,
    termsOf(context, options),
    {
      name: "compareAndSwap",
      command: {
        $typeName: "rdb.v1.CompareAndSwapRequest",
        key: bytes,
        expect: expected,
        value: valueSent,
        returnPrevious: options?.returnPrevious === true,
      },
      key: bytes,
      isWrite: true,
      sizeBytes: bytes.length + valueSent.length + expectedBytes(expected),
    },
    (answer, by) => compareResult(bytes, answer, by),
  );
}

export function compareAndDelete(
  context: ClientContext,
  key: Bytes,
  expect: Expectation,
  options?: CompareOptions,
): Promise<CompareResult> {
  const bytes = keyBytes("key", key);
  const expected = expectation(expect);
  return request(
    context,
    termsOf(context, options),
    {
      name: "compareAndDelete",
      command: {
        $typeName: "rdb.v1.CompareAndDeleteRequest",
        key: bytes,
        expect: expected,
        returnPrevious: options?.returnPrevious === true,
      },
      key: bytes,
      isWrite: true,
      sizeBytes: bytes.length + expectedBytes(expected),
    },
    (answer, by) => compareResult(bytes, answer, by),
  );
}

function compareResult(
  key: Uint8Array,
  answer: Answer<"compareAndSwap"> | Answer<"compareAndDelete">,
  regionId: RegionId,
): CompareResult {
  const { previous } = answer;
  return {
    succeeded: answer.succeeded,
    version: answer.version === 0n ? undefined : safeInteger(answer.version, "version"),
    previous: previous === undefined ? undefined : rowFromWire(key, previous, previous.version, regionId),
    revision: safeInteger(answer.revision, "revision"),
    regionId,
  };
}

/** @throws RdbError RDB_INVALID_ARGUMENT unless exactly one of the three is given */
function expectation(expect: Expectation): WireExpectation {
  const given = ["version", "value", "absent"].filter(
    (name) => (expect as Record<string, unknown> | undefined)?.[name] !== undefined,
  );
  if (given.length !== 1) {
    throw invalid(
      "expect",
      `expect must have exactly one of version, value and absent, not ${given.length}`,
      expect,
    );
  }
  if ("version" in expect && expect.version !== undefined) {
    return wire({ case: "version", value: versionBigInt("expect.version", expect.version) });
  }
  if ("value" in expect && expect.value !== undefined) {
    return wire({ case: "value", value: valueBytes("expect.value", expect.value) });
  }
  if ("absent" in expect && expect.absent === true) {
    return wire({ case: "absent", value: true });
  }
  throw invalid("expect.absent", "expect.absent must be true, or left out", expect);
}

function wire(condition: WireExpectation["condition"]): WireExpectation {
  return { $typeName: "rdb.v1.Expectation", condition };
}

function expectedBytes(expected: WireExpectation): number {
  return expected.condition.case === "value" ? expected.condition.value.length : 0;
}

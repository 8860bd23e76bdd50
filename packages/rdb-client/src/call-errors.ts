import { RdbError, formatKey } from "@flaredb/rdb-base";
import type { KvCall } from "./kv-call.ts";

/** Keys in messages are cut behind this many bytes. */
const KEY_SHOWN_MAX_BYTES = 64;

/** Time ran out before the call was sent (a write), or before it was answered (a read). */
export function deadlineError(call: KvCall): RdbError {
  const { lastError } = call;
  const reason = lastError === undefined ? "" : `; last: ${lastError.code}: ${lastError.message}`;
  return new RdbError(
    "RDB_DEADLINE_EXCEEDED",
    `${describe(call)} was not done within ${call.spec.timeoutMs} ms${reason}`,
    { details: { ...whereabouts(call), ...(lastError && { lastCode: lastError.code }) }, cause: lastError },
  );
}

/** The caller's signal fired. */
export function abortedError(call: KvCall): RdbError {
  return new RdbError("RDB_ABORTED", `${describe(call)} was aborted by its signal`, {
    details: whereabouts(call),
    cause: call.spec.signal?.reason,
  });
}

/** A write was sent, and no attempt of it was answered with what it came to. */
export function undeterminedError(call: KvCall, cause: RdbError): RdbError {
  // A piece of a write that a split cut may end before it is sent itself.
  const sent =
    call.attemptCount === 0
      ? "was sent as part of a larger one"
      : `was sent ${call.attemptCount} times, last to Store ${call.storeId}`;
  return new RdbError(
    "RDB_UNDETERMINED_RESULT",
    `${describe(call)} ${sent}, and what it came to is not known (${cause.message}); it is applied once, now or ` +
      "later, or not at all: read before writing again",
    { details: { ...whereabouts(call), attemptCount: call.attemptCount }, cause },
  );
}

/**
 * A write was carried out, by an attempt whose answer did not come; it was too large to be remembered for a later one.
 * Only answers of writes with a condition get so large, and whether that held was in the answer.
 */
export function answerLostError(call: KvCall, cause: RdbError): RdbError {
  return new RdbError(
    "RDB_UNDETERMINED_RESULT",
    `${describe(call)} was carried out, once, and whether its condition held is lost with the answer ` +
      `(${cause.message}): read what it came to`,
    { details: { ...whereabouts(call), attemptCount: call.attemptCount, isDecided: true }, cause },
  );
}

function describe(call: KvCall): string {
  const { name, key } = call.spec;
  const shown =
    key.length > KEY_SHOWN_MAX_BYTES ? `${formatKey(key.subarray(0, KEY_SHOWN_MAX_BYTES))}…` : formatKey(key);
  return `${name} of key "${shown}"`;
}

function whereabouts(call: KvCall): Record<string, unknown> {
  return { key: call.spec.key, storeId: call.storeId, regionId: call.entry?.region.id };
}

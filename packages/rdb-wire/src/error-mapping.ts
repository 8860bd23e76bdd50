import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, RdbError, errorCodes } from "@flaredb/rdb-base";

/** The trailer in which a stable error code travels. */
export const RDB_CODE_HEADER = "rdb-code";
/** The trailer in which RDB_NOT_LEADER of a placement driver names the leader's address, when it is known. */
const RDB_LEADER_HEADER = "rdb-leader";

/**
 * How gRPC names each of our errors, for clients that know nothing of ours. `Unavailable` is what such a client may
 * try again, so it is never used where a write may have been applied.
 */
const connectCodes: Record<ErrorCode, Code> = {
  RDB_INVALID_ARGUMENT: Code.InvalidArgument,
  RDB_UNAUTHENTICATED: Code.Unauthenticated,
  RDB_PERMISSION_DENIED: Code.PermissionDenied,
  RDB_CONFIG_INVALID: Code.InvalidArgument,
  RDB_NOT_LEADER: Code.Unavailable,
  RDB_EPOCH_NOT_MATCH: Code.Unavailable,
  RDB_REGION_NOT_FOUND: Code.Unavailable,
  RDB_KEY_NOT_IN_REGION: Code.Unavailable,
  RDB_REQUEST_EXPIRED: Code.FailedPrecondition,
  RDB_SEQUENCE_CLOSED: Code.FailedPrecondition,
  RDB_STALE_COMMAND: Code.Unknown,
  RDB_SERVER_IS_BUSY: Code.ResourceExhausted,
  RDB_STORE_NOT_MATCH: Code.FailedPrecondition,
  RDB_CLUSTER_MISMATCH: Code.FailedPrecondition,
  RDB_DISK_FULL: Code.ResourceExhausted,
  RDB_UNDETERMINED_RESULT: Code.Unknown,
  RDB_DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  RDB_ABORTED: Code.Canceled,
  RDB_CLOSED: Code.Unavailable,
  RDB_UNAVAILABLE: Code.Unavailable,
  RDB_PD_UNAVAILABLE: Code.Unavailable,
  RDB_CLUSTER_NOT_BOOTSTRAPPED: Code.FailedPrecondition,
  RDB_ADDRESS_IN_USE: Code.AlreadyExists,
  RDB_DATA_LOCKED: Code.FailedPrecondition,
  RDB_DATA_FORMAT: Code.FailedPrecondition,
  RDB_DATA_FOREIGN: Code.FailedPrecondition,
  RDB_STORE_DECOMMISSIONED: Code.FailedPrecondition,
  RDB_STORE_LOST: Code.FailedPrecondition,
  // What a program that does not know our code takes for final.
  RDB_VERSION_TOO_OLD: Code.InvalidArgument,
  RDB_CLUSTER_VERSION: Code.FailedPrecondition,
  RDB_DATA_CORRUPT: Code.DataLoss,
  RDB_STORAGE_FAILED: Code.Internal,
  RDB_NOT_FOUND: Code.NotFound,
  RDB_ALREADY_EXISTS: Code.AlreadyExists,
  RDB_OPERATOR_CANCELLED: Code.Aborted,
  RDB_INTERNAL: Code.Internal,
};

/** For answers without our trailer: foreign servers, and what the transport itself says. */
const rdbCodes: Partial<Record<Code, ErrorCode>> = {
  [Code.Canceled]: "RDB_ABORTED",
  [Code.InvalidArgument]: "RDB_INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "RDB_DEADLINE_EXCEEDED",
  [Code.NotFound]: "RDB_NOT_FOUND",
  [Code.AlreadyExists]: "RDB_ALREADY_EXISTS",
  // Without our trailer only a message over the limit says this.
  [Code.ResourceExhausted]: "RDB_INVALID_ARGUMENT",
};

/** An error of ours as the RPC edge sends it: `rdb-code` in the trailers. A ConnectError stays what it is. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) {
    return error;
  }
  const rdbError = RdbError.from(error);
  return new ConnectError(
    rdbError.message,
    // What is right but too large has a name of its own in gRPC.
    rdbError.details["limit"] === "messageMaxBytes" ? Code.ResourceExhausted : connectCodes[rdbError.code],
    { [RDB_CODE_HEADER]: rdbError.code, ...leaderTrailer(rdbError) },
    undefined,
    rdbError,
  );
}

/** What went wrong while a stream's requests were read: bytes that are no message are the caller's fault, not ours. */
export function fromRequestError(error: unknown): RdbError {
  const isUnreadable =
    error instanceof ConnectError && error.code === Code.Internal && error.rawMessage.startsWith("parse ");
  return isUnreadable
    ? new RdbError("RDB_INVALID_ARGUMENT", `the message cannot be read: ${error.rawMessage}`, {
        cause: error,
      })
    : RdbError.from(error);
}

/**
 * What a failed call means to us.
 *
 * @param unreachable the code when the other side could not be reached, or went away without an answer
 */
export function fromConnectError(error: unknown, unreachable: ErrorCode = "RDB_UNAVAILABLE"): RdbError {
  if (error instanceof RdbError) {
    return error;
  }
  const connectError = ConnectError.from(error);
  const message = connectError.rawMessage;
  const sentCode = connectError.metadata.get(RDB_CODE_HEADER);
  if (sentCode !== null && isErrorCode(sentCode)) {
    const leaderAddress = connectError.metadata.get(RDB_LEADER_HEADER);
    const details = leaderAddress === null ? {} : { details: { leaderAddress } };
    return new RdbError(sentCode, message, { cause: error, ...details });
  }
  const code =
    connectError.code === Code.Unavailable ? unreachable : (rdbCodes[connectError.code] ?? "RDB_INTERNAL");
  return new RdbError(code, message, { cause: error });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

function leaderTrailer({ details }: RdbError): Record<string, string> {
  const { leaderAddress } = details;
  return typeof leaderAddress === "string" ? { [RDB_LEADER_HEADER]: leaderAddress } : {};
}

import { type ErrorCode, RdbError } from "@flaredb/rdb-base";
import type { RegionError } from "@flaredb/rdb-proto";

type Reason = NonNullable<RegionError["reason"]["case"]>;

/** What each refusal of a Region is called where errors are exceptions: in the answers of unary methods. */
const codes: Readonly<Record<Reason, ErrorCode>> = {
  notLeader: "RDB_NOT_LEADER",
  epochNotMatch: "RDB_EPOCH_NOT_MATCH",
  regionNotFound: "RDB_REGION_NOT_FOUND",
  keyNotInRegion: "RDB_KEY_NOT_IN_REGION",
  staleCommand: "RDB_STALE_COMMAND",
  serverIsBusy: "RDB_SERVER_IS_BUSY",
  storeNotMatch: "RDB_STORE_NOT_MATCH",
  invalidArgument: "RDB_INVALID_ARGUMENT",
  diskFull: "RDB_DISK_FULL",
  dataCorrupt: "RDB_DATA_CORRUPT",
  requestExpired: "RDB_REQUEST_EXPIRED",
  sequenceClosed: "RDB_SEQUENCE_CLOSED",
};

/** A Region's refusal as an exception; rdb-wire gives it its gRPC code. One that a newer Store sent is internal. */
export function regionErrorToRdbError(error: RegionError): RdbError {
  const { reason } = error;
  if (reason.case === undefined) {
    return new RdbError("RDB_INTERNAL", `a refusal that this program does not know: ${error.message}`);
  }
  const details = reason.case === "invalidArgument" ? { field: reason.value.field } : {};
  return new RdbError(codes[reason.case], error.message, { details });
}

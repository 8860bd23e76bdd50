import { assertNever } from "@flaredb/rdb-base";
import type { KvResponse, Region, Row } from "@flaredb/rdb-proto";

/** What a response, or a row of one, has beside its keys and values, at most. */
const OVERHEAD_BYTES = 40;

/** About how many bytes the response takes on the wire. */
export function responseSizeBytes(response: KvResponse): number {
  const { result } = response;
  switch (result.case) {
    case "get":
      return OVERHEAD_BYTES + result.value.value.length;
    case "batchGet":
      return OVERHEAD_BYTES + rowsSizeBytes(result.value.rows);
    case "scan":
      return (
        OVERHEAD_BYTES +
        rowsSizeBytes(result.value.rows) +
        result.value.regionStartKey.length +
        result.value.regionEndKey.length
      );
    case "compareAndSwap":
    case "compareAndDelete":
      return (
        OVERHEAD_BYTES + (result.value.previous === undefined ? 0 : rowsSizeBytes([result.value.previous]))
      );
    case "error":
      return OVERHEAD_BYTES + 2 * result.value.message.length + regionsSizeBytes(response);
    case "conditionalBatch":
      return OVERHEAD_BYTES + 2 * result.value.failedConditions.length;
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
    case "deleteRange":
    case undefined:
      return OVERHEAD_BYTES;
    default:
      return assertNever(result, "result");
  }
}

function rowsSizeBytes(rows: readonly Row[]): number {
  let bytes = 0;
  for (const row of rows) {
    bytes += OVERHEAD_BYTES + row.key.length + row.value.length;
  }
  return bytes;
}

function regionsSizeBytes({ result }: KvResponse): number {
  const reason = result.case === "error" ? result.value.reason : undefined;
  const regions: Region[] =
    reason?.case === "epochNotMatch"
      ? reason.value.currentRegions
      : reason?.case === "keyNotInRegion" && reason.value.region !== undefined
        ? [reason.value.region]
        : [];
  return regions.reduce(
    (bytes, region) => bytes + 2 * OVERHEAD_BYTES + region.startKey.length + region.endKey.length,
    0,
  );
}

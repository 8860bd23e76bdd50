import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { KiB, MiB, RdbError, assert } from "@flaredb/rdb-base";
import { KvResponseSchema } from "@flaredb/rdb-proto";
import type { SessionRecord } from "@flaredb/rdb-storage";
import type { WriteResult } from "./evaluate-write.ts";
import { deleteRangeResult } from "./range-delete.ts";
import { answerNotKept } from "./responses.ts";
import type { Write } from "./write-span.ts";

/** What a record's kind means. The order is part of the disk format: only ever added to, at most 16. */
const kinds = [
  "put",
  "delete",
  "batchPut",
  "batchDelete",
  "compareAndSwap",
  "compareAndDelete",
  "conditionalBatch",
  "deleteRange",
] as const satisfies readonly Write["case"][];

const kindNumbers = new Map<string, number>(kinds.map((kind, number) => [kind, number]));

/** No larger answer is kept: large values that are given back would soon be all that a Region may remember. */
const ANSWER_MAX_BYTES = 64 * KiB;
/** Answers larger than this hold a row's previous value ... */
const SMALL_ANSWER_MAX_BYTES = 16 * KiB;
/** ... and are kept only so long as the row that they go to does not become larger than this. */
const ROW_MAX_BYTES = 1 * MiB;
const NO_DETAILS = new Uint8Array(0);

/** The number of a command's kind in a record. */
export function kindOf(write: Write): number {
  const number = kindNumbers.get(write.case ?? "");
  assert(number !== undefined, "every write has a kind");
  return number;
}

/**
 * What a record keeps of an answer beside its revision. A large answer is left out when the row is large already: a
 * retry of that write is told that its outcome is unknown, and a row stays bounded.
 *
 * @param rowSizeBytes of the row that it goes to, so far
 */
export function detailsOf(result: WriteResult, rowSizeBytes: number): Uint8Array {
  switch (result.case) {
    case "put":
    case "deleteRange":
      // The revision is all.
      return NO_DETAILS;
    default: {
      const details = toBinary(KvResponseSchema, {
        $typeName: "rdb.v1.KvResponse",
        requestId: 0,
        result,
      });
      return isKept(details.length, rowSizeBytes) ? details : NO_DETAILS;
    }
  }
}

function isKept(sizeBytes: number, rowSizeBytes: number): boolean {
  return (
    sizeBytes <= SMALL_ANSWER_MAX_BYTES ||
    (sizeBytes <= ANSWER_MAX_BYTES && rowSizeBytes + sizeBytes <= ROW_MAX_BYTES)
  );
}

/** The answer that was given the first time. @throws RdbError RDB_DATA_CORRUPT */
export function answerOf(record: SessionRecord): WriteResult {
  const version = BigInt(record.revision);
  const kind = kinds[record.kind];
  switch (kind) {
    case "put":
      return { case: "put", value: { $typeName: "rdb.v1.PutResponse", version } };
    case "deleteRange":
      return deleteRangeResult(record.revision);
    case undefined:
      throw new RdbError("RDB_DATA_CORRUPT", `a recorded answer has an unknown kind ${record.kind}`);
    default:
      return record.details.length === 0
        ? { case: "error", value: answerNotKept() }
        : decodeDetails(record.details);
  }
}

function decodeDetails(details: Uint8Array): WriteResult {
  try {
    return fromBinary(KvResponseSchema, details).result;
  } catch (error) {
    throw new RdbError("RDB_DATA_CORRUPT", `a recorded answer of ${details.length} bytes is none`, {
      cause: error,
    });
  }
}

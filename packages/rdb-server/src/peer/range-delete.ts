import type { WriteResult } from "./evaluate-write.ts";

/** The answer to a DeleteRange, which takes one revision whatever it deletes. */
export function deleteRangeResult(revision: number): WriteResult {
  return {
    case: "deleteRange",
    value: { $typeName: "rdb.v1.DeleteRangeResponse", revision: BigInt(revision) },
  };
}

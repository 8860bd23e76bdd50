import {
  type KeyRange,
  RdbError,
  compareEndKeys,
  errorCodes,
  formatRange,
  rangeContains,
} from "@flaredb/rdb-base";
import { type ClientContext, type Terms, request, termsOf } from "../call-context.ts";
import type { CallOptions } from "../options.ts";
import { locate } from "../region-parts.ts";
import { type RangeOptions, namedRange } from "../validate.ts";

export interface DeleteRangeResult {
  /** How many Regions it took. */
  readonly regionCount: number;
}

/** One Region after the other, in the order of the keys, so that a failure leaves one clear border. */
export async function deleteRange(
  context: ClientContext,
  range: RangeOptions,
  options?: CallOptions,
): Promise<DeleteRangeResult> {
  const { startKey, endKey } = namedRange(range);
  const terms = termsOf(context, options);
  let cursor = startKey;
  let regionCount = 0;
  while (endKey.length === 0 || compareEndKeys(cursor, endKey) < 0) {
    const rest: KeyRange = { startKey: cursor, endKey };
    let deletedTo: Uint8Array | "misfit";
    try {
      deletedTo = await deleteFirst(context, terms, rest);
    } catch (error) {
      throw rangeError(RdbError.from(error), rest, regionCount);
    }
    if (deletedTo === "misfit") {
      continue;
    }
    regionCount++;
    if (deletedTo.length === 0) {
      break;
    }
    cursor = deletedTo;
  }
  return { regionCount };
}

/** Deletes what the first Region holds of the range. @returns where that ends, or "misfit" when a split cut it */
async function deleteFirst(
  context: ClientContext,
  terms: Terms,
  range: KeyRange,
): Promise<Uint8Array | "misfit"> {
  const { region } = await locate(context, terms, "deleteRange", range.startKey);
  const endKey = compareEndKeys(region.endKey, range.endKey) < 0 ? region.endKey : range.endKey;
  const part: KeyRange = { startKey: range.startKey, endKey };
  return new Promise((resolve, reject) => {
    request(
      context,
      terms,
      {
        name: "deleteRange",
        command: { $typeName: "rdb.v1.DeleteRangeRequest", ...part },
        key: part.startKey,
        isWrite: true,
        sizeBytes: part.startKey.length + part.endKey.length,
        admit: (entry) => {
          if (rangeContains(entry.region, part)) {
            return true;
          }
          resolve("misfit");
          return false;
        },
      },
      () => endKey,
    ).then(resolve, reject);
  });
}

/** What was deleted before the failure makes the whole undetermined; the details say from where on. */
function rangeError(error: RdbError, rest: KeyRange, regionCount: number): RdbError {
  const isNothing = regionCount === 0 && errorCodes[error.code].write === "not applied";
  return new RdbError(
    isNothing ? error.code : "RDB_UNDETERMINED_RESULT",
    `deleteRange: ${regionCount} Regions are done, ${formatRange(rest)} is not or not surely: ${error.message}`,
    { details: { ...error.details, remainingStart: rest.startKey, remainingEnd: rest.endKey }, cause: error },
  );
}

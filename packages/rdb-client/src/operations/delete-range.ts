import {
  type KeyRange,
  RdbError,
  type RegionId,
  compareEndKeys,
  compareKeys,
  errorCodes,
  formatRange,
  rangeContains,
  safeInteger,
} from "@flaredb/rdb-base";
import { type ClientContext, type Terms, request, termsOf } from "../call-context.ts";
import type { CallOptions } from "../options.ts";
import type { WriteIdentity } from "../open-writes.ts";
import { Misfit, locate } from "../region-parts.ts";
import { type RangeOptions, namedRange } from "../validate.ts";

export interface DeleteRangeResult {
  /** How many Regions it took. */
  readonly regionCount: number;
  /** What each Region did, in the order of the keys. */
  readonly parts: readonly DeleteRangePart[];
}

/** What one Region did of a range, all at once. */
export interface DeleteRangePart extends KeyRange {
  readonly regionId: RegionId;
  /** The Region's revision after. */
  readonly revision: number;
}

/** What is still to be deleted: a stretch of keys, perhaps deleted already under the identity. */
interface Stretch {
  readonly range: KeyRange;
  readonly identity: WriteIdentity | undefined;
}

/** One Region after the other, in the order of the keys, so that a failure leaves one clear border. */
export async function deleteRange(
  context: ClientContext,
  range: RangeOptions,
  options?: CallOptions,
): Promise<DeleteRangeResult> {
  const { startKey, endKey } = namedRange(range);
  const terms = termsOf(context, options);
  const parts: DeleteRangePart[] = [];
  const held = new Set<WriteIdentity>();
  /** The next one last. */
  const stretches: Stretch[] = [{ range: { startKey, endKey }, identity: undefined }];
  let startOfRest = startKey;
  try {
    for (let next = stretches.pop(); next !== undefined; next = stretches.pop()) {
      startOfRest = next.range.startKey;
      if (isEmpty(next.range)) {
        continue;
      }
      const { region } = await locate(context, terms, "deleteRange", next.range.startKey);
      const endsHere = compareEndKeys(next.range.endKey, region.endKey) <= 0;
      const part = endsHere ? next.range : { startKey: startOfRest, endKey: region.endKey };
      if (!endsHere) {
        stretches.push({ range: { ...next.range, startKey: region.endKey }, identity: next.identity });
      }
      const outcome = await deletePart(context, terms, { range: part, identity: next.identity });
      if (outcome instanceof Misfit) {
        if (outcome.identity !== undefined) {
          held.add(outcome.identity);
        }
        stretches.push({ range: part, identity: outcome.identity });
      } else {
        parts.push({ ...part, ...outcome });
      }
    }
  } catch (error) {
    const rest = { startKey: startOfRest, endKey };
    throw rangeError(RdbError.from(error), rest, parts.length > 0 || held.size > 0, parts.length);
  } finally {
    for (const identity of held) {
      identity.close();
    }
  }
  return { regionCount: parts.length, parts };
}

function isEmpty({ startKey, endKey }: KeyRange): boolean {
  return endKey.length > 0 && compareKeys(startKey, endKey) >= 0;
}

/** Deletes what lies in one Region, unless a split has cut it. */
function deletePart(
  context: ClientContext,
  terms: Terms,
  { range, identity: known }: Stretch,
): Promise<Pick<DeleteRangePart, "regionId" | "revision"> | Misfit> {
  return new Promise((resolve, reject) => {
    request(
      context,
      terms,
      {
        name: "deleteRange",
        command: { $typeName: "rdb.v1.DeleteRangeRequest", startKey: range.startKey, endKey: range.endKey },
        key: range.startKey,
        isWrite: true,
        sizeBytes: range.startKey.length + range.endKey.length,
        identity: known,
        admit: (entry, identity) => {
          if (rangeContains(entry.region, range)) {
            return true;
          }
          resolve(new Misfit(identity));
          return false;
        },
      },
      (answer, regionId) => ({ regionId, revision: safeInteger(answer.revision, "revision") }),
    ).then(resolve, reject);
  });
}

/** What was deleted before the failure makes the whole undetermined; the details say from where on. */
function rangeError(error: RdbError, rest: KeyRange, isBegun: boolean, regionCount: number): RdbError {
  const isNothing = !isBegun && errorCodes[error.code].write === "not applied";
  return new RdbError(
    isNothing ? error.code : "RDB_UNDETERMINED_RESULT",
    `deleteRange: ${regionCount} Regions are done, ${formatRange(rest)} is not or not surely: ${error.message}`,
    { details: { ...error.details, remainingStart: rest.startKey, remainingEnd: rest.endKey }, cause: error },
  );
}

import { RdbError, compareKeys, errorCodes, keyInRange } from "@flaredb/rdb-base";
import { type ClientContext, type Terms } from "./call-context.ts";
import type { RegionEntry } from "./region-cache.ts";

/** The part of an operation's keys that one Region holds. */
export interface RegionPart {
  /** Places in the operation's keys, ascending. */
  readonly places: readonly number[];
  /** One of the keys, to find the Region by. */
  readonly key: Uint8Array;
  /** Whether the Region holds all of the part's keys. */
  fits(entry: RegionEntry): boolean;
}

/** How one part ended. */
export type PartOutcome<Answer> =
  | { readonly places: readonly number[]; readonly answer: Answer; readonly error?: undefined }
  | { readonly places: readonly number[]; readonly error: RdbError };

/** Sends one part; "misfit" when a split has cut it before it was sent. */
export type SendPart<Answer> = (part: RegionPart) => Promise<Answer | "misfit">;

/**
 * Does an operation on many keys as one request to each Region that holds some of them, all at once. A part that a
 * split cuts is cut again. Never rejects: each outcome tells of its part.
 */
export async function forEachRegion<Answer>(
  context: ClientContext,
  terms: Terms,
  keys: readonly Uint8Array[],
  send: SendPart<Answer>,
): Promise<PartOutcome<Answer>[]> {
  const run = async (places: readonly number[]): Promise<PartOutcome<Answer>[]> => {
    let parts: RegionPart[];
    try {
      parts = await cut(context, terms, keys, places);
    } catch (error) {
      return [{ places, error: RdbError.from(error) }];
    }
    const outcomes = await Promise.all(
      parts.map(async (part): Promise<PartOutcome<Answer>[]> => {
        try {
          const answer = await send(part);
          return answer === "misfit" ? await run(part.places) : [{ places: part.places, answer }];
        } catch (error) {
          return [{ places: part.places, error: RdbError.from(error) }];
        }
      }),
    );
    return outcomes.flat();
  };
  return run(keys.map((_, place) => place));
}

/** The Region that holds the key (with `before`: what is just before it), asked for if it must be. */
export function locate(
  context: ClientContext,
  terms: Terms,
  name: string,
  key: Uint8Array,
): Promise<RegionEntry> {
  const known = context.cache.find(key);
  if (known !== undefined) {
    return Promise.resolve(known);
  }
  return new Promise((resolve, reject) => {
    context.sender.send({
      ...terms,
      name,
      key,
      command: { case: undefined },
      isWrite: false,
      sizeBytes: 0,
      admit: (entry) => {
        resolve(entry);
        return false;
      },
      resolve: () => {},
      reject,
    });
  });
}

/**
 * The one error of an operation on several Regions of which a part failed. Its details hold the keys that are
 * `applied`, `notApplied` and `unknown`; its code is RDB_UNDETERMINED_RESULT as soon as any was or may be applied.
 */
export function partsError(
  name: string,
  keys: readonly Uint8Array[],
  outcomes: readonly PartOutcome<unknown>[],
): RdbError | undefined {
  const failed = outcomes.find((outcome) => outcome.error !== undefined);
  if (failed?.error === undefined) {
    return undefined;
  }
  const applied: Uint8Array[] = [];
  const notApplied: Uint8Array[] = [];
  const unknown: Uint8Array[] = [];
  for (const { places, error } of outcomes) {
    const isUnknown = error !== undefined && errorCodes[error.code].write === "unknown";
    const bucket = error === undefined ? applied : isUnknown ? unknown : notApplied;
    bucket.push(...places.map((place) => keys[place] as Uint8Array));
  }
  const isNothing = applied.length + unknown.length === 0;
  const { message } = failed.error;
  return new RdbError(
    isNothing ? failed.error.code : "RDB_UNDETERMINED_RESULT",
    isNothing
      ? `${name}: nothing was applied: ${message}`
      : `${name}: of ${keys.length} keys ${applied.length} are applied, ${notApplied.length} are not, ` +
          `${unknown.length} are unknown: ${message}`,
    { details: { applied, notApplied, unknown }, cause: failed.error },
  );
}

async function cut(
  context: ClientContext,
  terms: Terms,
  keys: readonly Uint8Array[],
  places: readonly number[],
): Promise<RegionPart[]> {
  const byRegion = new Map<RegionEntry, number[]>();
  for (const place of places) {
    const entry = await locate(context, terms, "batch", keys[place] as Uint8Array);
    const group = byRegion.get(entry);
    if (group === undefined) {
      byRegion.set(entry, [place]);
    } else {
      group.push(place);
    }
  }
  return [...byRegion.values()].map((group) => partOf(keys, group));
}

/** The part of all the given keys, wherever they are. */
export function partOf(keys: readonly Uint8Array[], places: readonly number[]): RegionPart {
  let lowest = keys[places[0] as number] as Uint8Array;
  let highest = lowest;
  for (const place of places) {
    const key = keys[place] as Uint8Array;
    if (compareKeys(key, lowest) < 0) {
      lowest = key;
    } else if (compareKeys(key, highest) > 0) {
      highest = key;
    }
  }
  return {
    places,
    key: lowest,
    fits: (entry) => keyInRange(lowest, entry.region) && keyInRange(highest, entry.region),
  };
}

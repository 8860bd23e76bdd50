import { RdbError, type RegionId, compareKeys, errorCodes, keyInRange } from "@flaredb/rdb-base";
import type { ClientContext, Terms } from "./call-context.ts";
import type { WriteIdentity } from "./open-writes.ts";
import type { RegionCache, RegionEntry } from "./region-cache.ts";

/** The part of an operation's keys that one Region holds. */
export interface RegionPart {
  /** Places in the operation's keys, ascending. */
  readonly places: readonly number[];
  /** One of the keys, to find the Region by. */
  readonly key: Uint8Array;
  /** Whether the Region holds all of the part's keys. */
  fits(entry: RegionEntry): boolean;
}

/** A part's keys have come to lie in several Regions, so it was not sent once more. */
export class Misfit {
  /** When an attempt of it may have been applied: what all further ones are sent under. Whoever gets it closes it. */
  readonly identity: WriteIdentity | undefined;

  constructor(identity: WriteIdentity | undefined) {
    this.identity = identity;
  }
}

/** What a Region answered to one part. */
export interface PartAnswer<Answer> {
  readonly answer: Answer;
  readonly regionId: RegionId;
}

/** How one part ended. */
export type PartOutcome<Answer> = AnsweredPart<Answer> | FailedPart;

/** A part that a Region did. */
export interface AnsweredPart<Answer> extends PartAnswer<Answer> {
  readonly places: readonly number[];
  /** The larger parts that it was cut from, as the same write; smallest first. Any of them may be what was answered. */
  readonly cutFrom: readonly (readonly number[])[];
  readonly error?: undefined;
}

interface FailedPart {
  readonly places: readonly number[];
  readonly error: RdbError;
}

/** What an answer for so many keys is the answer of: the part, or one that it was cut from. */
export function answeredPlaces(part: AnsweredPart<unknown>, keyCount: number): readonly number[] {
  return part.cutFrom.find((places) => places.length === keyCount) ?? part.places;
}

/** A write that was cut: under which identity it goes on, and from what. */
interface CutWrite {
  readonly identity: WriteIdentity;
  readonly cutFrom: readonly (readonly number[])[];
}

/** Sends one part, under the identity if there is one. */
export type SendPart<Answer> = (
  part: RegionPart,
  identity: WriteIdentity | undefined,
) => Promise<PartAnswer<Answer> | Misfit>;

/**
 * Does an operation on many keys as one request to each Region that holds some of them, all at once. A part that a
 * split cuts is cut again; if it may have been applied before the split, each piece is sent as the same write, which
 * the Regions on both sides know. Never rejects: each outcome tells of its part.
 */
export async function forEachRegion<Answer>(
  context: ClientContext,
  terms: Terms,
  keys: readonly Uint8Array[],
  send: SendPart<Answer>,
): Promise<PartOutcome<Answer>[]> {
  const run = async (
    places: readonly number[],
    before: CutWrite | undefined,
  ): Promise<PartOutcome<Answer>[]> => {
    let parts: RegionPart[];
    try {
      parts = await cut(context, terms, keys, places);
    } catch (error) {
      return [{ places, error: before === undefined ? RdbError.from(error) : cutUnknown(error) }];
    }
    const outcomes = await Promise.all(parts.map((part) => runPart(part, before)));
    return outcomes.flat();
  };
  const runPart = async (part: RegionPart, before: CutWrite | undefined): Promise<PartOutcome<Answer>[]> => {
    const { places } = part;
    let outcome: PartAnswer<Answer> | Misfit;
    try {
      outcome = await send(part, before?.identity);
    } catch (error) {
      return [{ places, error: RdbError.from(error) }];
    }
    const cutFrom = before?.cutFrom ?? [];
    if (!(outcome instanceof Misfit)) {
      return [{ ...outcome, places, cutFrom }];
    }
    const { identity } = outcome;
    if (identity === undefined) {
      return run(places, undefined);
    }
    try {
      return await run(places, { identity, cutFrom: [places, ...cutFrom] });
    } finally {
      if (identity !== before?.identity) {
        identity.close();
      }
    }
  };
  return run(
    keys.map((_, place) => place),
    undefined,
  );
}

/** A part that may have been applied was not sent again: its Regions could not be found. */
function cutUnknown(reason: unknown): RdbError {
  const error = RdbError.from(reason);
  return new RdbError(
    "RDB_UNDETERMINED_RESULT",
    `sent, not answered, then cut by a split: ${error.message}`,
    {
      cause: error,
    },
  );
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

/**
 * The parts lie in disjoint ranges, also when the map changes while Regions are asked for: under one identity, two parts
 * for one Region would be taken for one another.
 */
async function cut(
  context: ClientContext,
  terms: Terms,
  keys: readonly Uint8Array[],
  places: readonly number[],
): Promise<RegionPart[]> {
  for (;;) {
    const groups = groupByRegion(context.cache, keys, places);
    if (groups !== undefined) {
      return groups.map((group) => partOf(keys, group));
    }
    // The first key of a Region brings the others' too. Ends at the deadline: then a lookup is refused.
    for (const place of places) {
      await locate(context, terms, "batch", keys[place] as Uint8Array);
    }
  }
}

/** By the map as it is at this moment; undefined when it lacks a key's Region. */
function groupByRegion(
  cache: RegionCache,
  keys: readonly Uint8Array[],
  places: readonly number[],
): number[][] | undefined {
  const byRegion = new Map<RegionEntry, number[]>();
  for (const place of places) {
    const entry = cache.find(keys[place] as Uint8Array);
    if (entry === undefined) {
      return undefined;
    }
    const group = byRegion.get(entry);
    if (group === undefined) {
      byRegion.set(entry, [place]);
    } else {
      group.push(place);
    }
  }
  return [...byRegion.values()];
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

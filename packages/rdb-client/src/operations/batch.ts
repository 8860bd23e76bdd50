import { RdbError, type RegionId, keysEqual, safeInteger } from "@flaredb/rdb-base";
import {
  type Answer,
  type ClientContext,
  type RequestSpec,
  type Terms,
  request,
  termsOf,
} from "../call-context.ts";
import type { Bytes, CallOptions, ReadOptions } from "../options.ts";
import {
  type AnsweredPart,
  Misfit,
  type PartAnswer,
  type PartOutcome,
  type RegionPart,
  answeredPlaces,
  forEachRegion,
  partsError,
} from "../region-parts.ts";
import { type Row, rowFromWire } from "../row.ts";
import { checkBatch, keyBytes, valueBytes } from "../validate.ts";

/** A row to be written. */
export interface KeyValue {
  readonly key: Bytes;
  readonly value: Bytes;
}

/** What one Region did of a batch, all at once. */
export interface BatchPart {
  readonly regionId: RegionId;
  /** The Region's revision after. */
  readonly revision: number;
  /** Places of its keys in the batch, ascending. */
  readonly places: readonly number[];
}

export interface BatchPutResult {
  /** The version of each row, in the order given. */
  readonly versions: readonly number[];
  readonly parts: readonly BatchPart[];
}

export interface BatchDeleteResult {
  /** How many of the keys there were. */
  readonly deletedCount: number;
  readonly parts: readonly BatchPart[];
}

type BatchName = "batchGet" | "batchPut" | "batchDelete";

export async function batchGet(
  context: ClientContext,
  keys: readonly Bytes[],
  options?: ReadOptions,
): Promise<(Row | undefined)[]> {
  const sent = batchKeys(keys);
  const terms = termsOf(context, options);
  const outcomes = await forEachRegion(context, terms, sent, (part) => {
    const picked = pick(sent, part);
    return sendPart(context, terms, part, {
      name: "batchGet",
      command: { $typeName: "rdb.v1.BatchGetRequest", keys: picked },
      isWrite: false,
      sizeBytes: bytesOf(picked),
    });
  });
  const found = sent.map((): Row | undefined => undefined);
  for (const part of succeeded(outcomes, (error) => error)) {
    placeRows(found, sent, part);
  }
  return found;
}

/** The rows of an answer stand in the order of its keys; those that do not exist are left out. */
function placeRows(
  found: (Row | undefined)[],
  keys: readonly Uint8Array[],
  { answer, places, regionId }: AnsweredPart<Answer<"batchGet">>,
): void {
  let next = 0;
  for (const place of places) {
    const wire = answer.rows[next];
    if (wire !== undefined && keysEqual(wire.key, keys[place] as Uint8Array)) {
      found[place] = rowFromWire(wire.key, wire, answer.revision, regionId);
      next++;
    }
  }
  if (next < answer.rows.length) {
    throw new RdbError("RDB_INTERNAL", `Store answered batchGet with rows that are not in the order asked`);
  }
}

export async function batchPut(
  context: ClientContext,
  rows: readonly KeyValue[],
  options?: CallOptions,
): Promise<BatchPutResult> {
  const keys = rows.map((row, place) => keyBytes(`rows[${place}].key`, row.key));
  const values = rows.map((row, place) => valueBytes(`rows[${place}].value`, row.value));
  checkBatch("rows", rows.length, bytesOf(keys) + bytesOf(values));
  const terms = termsOf(context, options);
  const outcomes = await forEachRegion(context, terms, keys, (part, identity) =>
    sendPart(context, terms, part, {
      identity,
      name: "batchPut",
      command: {
        $typeName: "rdb.v1.BatchPutRequest",
        rows: part.places.map((place) => ({
          $typeName: "rdb.v1.KeyValue" as const,
          key: keys[place] as Uint8Array,
          value: values[place] as Uint8Array,
        })),
      },
      isWrite: true,
      sizeBytes: bytesOf(pick(keys, part)) + bytesOf(pick(values, part)),
    }),
  );
  const versions = rows.map(() => 0);
  const parts = succeeded(outcomes, () => partsError("batchPut", keys, outcomes)).map((part): BatchPart => {
    const { answer, places, regionId } = part;
    const revision = safeInteger(answer.version, "version");
    const answered = answeredPlaces(part, answer.rowCount);
    for (const [offset, place] of answered.entries()) {
      versions[place] = revision - answered.length + 1 + offset;
    }
    return { regionId, revision, places };
  });
  return { versions, parts };
}

export async function batchDelete(
  context: ClientContext,
  keys: readonly Bytes[],
  options?: CallOptions,
): Promise<BatchDeleteResult> {
  const sent = batchKeys(keys);
  const terms = termsOf(context, options);
  const outcomes = await forEachRegion(context, terms, sent, (part, identity) =>
    sendPart(context, terms, part, {
      identity,
      name: "batchDelete",
      command: { $typeName: "rdb.v1.BatchDeleteRequest", keys: pick(sent, part) },
      isWrite: true,
      sizeBytes: bytesOf(pick(sent, part)),
    }),
  );
  /** Each answer once: the pieces of a part that was applied before it was cut all bring that part's. */
  const counts = new Map<readonly number[], number>();
  const parts = succeeded(outcomes, () => partsError("batchDelete", sent, outcomes)).map(
    (part): BatchPart => {
      const { answer, places, regionId } = part;
      counts.set(answeredPlaces(part, answer.keyCount), answer.deletedCount);
      return { regionId, revision: safeInteger(answer.revision, "revision"), places };
    },
  );
  const deletedCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { deletedCount, parts };
}

/** One part as one request, unless its keys have come to lie in several Regions. */
export function sendPart<Name extends BatchName | "conditionalBatch">(
  context: ClientContext,
  terms: Terms,
  part: RegionPart,
  spec: Omit<RequestSpec<Name>, "key" | "admit">,
): Promise<PartAnswer<Answer<Name>> | Misfit> {
  return new Promise((resolve, reject) => {
    const admit: RequestSpec<Name>["admit"] = (entry, identity) => {
      if (part.fits(entry)) {
        return true;
      }
      resolve(new Misfit(identity));
      return false;
    };
    const sent: RequestSpec<Name> = { ...spec, key: part.key, admit };
    request(context, terms, sent, (answer, regionId) => ({ answer, regionId })).then(resolve, reject);
  });
}

/** Every part's answer. @throws the error that `failure` makes when one failed */
function succeeded<Of>(
  outcomes: readonly PartOutcome<Of>[],
  failure: (error: Error) => Error | undefined,
): AnsweredPart<Of>[] {
  return outcomes.map((outcome) => {
    if (outcome.error !== undefined) {
      throw failure(outcome.error) ?? outcome.error;
    }
    return outcome;
  });
}

function batchKeys(keys: readonly Bytes[]): Uint8Array[] {
  const bytes = keys.map((key, place) => keyBytes(`keys[${place}]`, key));
  checkBatch("keys", bytes.length, bytesOf(bytes));
  return bytes;
}

function pick(all: readonly Uint8Array[], part: RegionPart): Uint8Array[] {
  return part.places.map((place) => all[place] as Uint8Array);
}

function bytesOf(all: readonly Uint8Array[]): number {
  return all.reduce((sum, bytes) => sum + bytes.length, 0);
}

import { RdbError, type RegionId, formatKey, formatRange, keyInRange, safeInteger } from "@flaredb/rdb-base";
import type { Mutation as WireMutation, VersionCondition as WireCondition } from "@flaredb/rdb-proto";
import { type ClientContext, termsOf } from "../call-context.ts";
import type { Bytes, CallOptions } from "../options.ts";
import { Misfit, locate, partOf } from "../region-parts.ts";
import { checkBatch, invalid, keyBytes, valueBytes, versionBigInt } from "../validate.ts";
import { sendPart } from "./batch.ts";

/** What must hold of a key: it has this version, or does not exist. */
export type VersionCondition =
  | { readonly key: Bytes; readonly version: number }
  | { readonly key: Bytes; readonly absent: true };

/** One write: of a row, or a delete of a key. */
export type Mutation = { readonly put: Bytes; readonly value: Bytes } | { readonly delete: Bytes };

export interface ConditionalBatch {
  /** All must hold. May be empty. */
  readonly conditions?: readonly VersionCondition[];
  /** Done in this order, all or none. */
  readonly mutations: readonly Mutation[];
}

export interface ConditionalBatchResult {
  /** Whether every condition held, and so every mutation was done. */
  readonly succeeded: boolean;
  /** The Region's revision after. */
  readonly revision: number;
  readonly regionId: RegionId;
  /** Places in `conditions` of those that did not hold. */
  readonly failedConditions: readonly number[];
}

/** A split that raced the first look at the map is looked at again this often. */
const SPAN_CHECK_MAX_COUNT = 2;

export async function conditionalBatch(
  context: ClientContext,
  batch: ConditionalBatch,
  options?: CallOptions,
): Promise<ConditionalBatchResult> {
  const conditions = (batch.conditions ?? []).map(wireCondition);
  const mutations = batch.mutations.map(wireMutation);
  const keys = [...conditions.map(({ key }) => key), ...mutations.map(keyOf)];
  const sizeBytes = keys.reduce((sum, key) => sum + key.length, 0) + valuesBytes(mutations);
  if (mutations.length === 0) {
    throw invalid("mutations", "mutations must not be empty", 0);
  }
  checkBatch("conditions and mutations", keys.length, sizeBytes);
  const terms = termsOf(context, options);
  const part = partOf(
    keys,
    keys.map((_, place) => place),
  );
  for (let check = 1; ; check++) {
    const outcome = await sendPart<"conditionalBatch">(context, terms, part, {
      name: "conditionalBatch",
      command: { $typeName: "rdb.v1.ConditionalBatchRequest", conditions, mutations },
      isWrite: true,
      sizeBytes,
    });
    if (!(outcome instanceof Misfit)) {
      const { answer, regionId } = outcome;
      return {
        succeeded: answer.succeeded,
        revision: safeInteger(answer.revision, "revision"),
        regionId,
        failedConditions: answer.failedConditions,
      };
    }
    if (outcome.identity !== undefined) {
      outcome.identity.close();
      throw cutUnknown(part.key);
    }
    const { region } = await locate(context, terms, "conditionalBatch", part.key);
    const outside = keys.find((key) => !keyInRange(key, region));
    if (outside !== undefined && check >= SPAN_CHECK_MAX_COUNT) {
      throw severalRegions(part.key, outside, formatRange(region));
    }
    // What is known may be old: the placement driver is asked once.
    context.cache.invalidate(region.id);
  }
}

/** It may have been applied before the split, and cannot be sent again to ask: no Region holds all of its keys. */
function cutUnknown(key: Uint8Array): RdbError {
  return new RdbError(
    "RDB_UNDETERMINED_RESULT",
    `conditionalBatch at key "${formatKey(key)}" was sent and not answered, then a split cut it; it is applied once ` +
      "or not at all: read before writing again",
    { details: { key } },
  );
}

function severalRegions(inside: Uint8Array, outside: Uint8Array, range: string): RdbError {
  return new RdbError(
    "RDB_INVALID_ARGUMENT",
    `keys "${formatKey(inside)}" and "${formatKey(outside)}" lie in different Regions (the first in ${range}); ` +
      "a conditional batch is all or nothing, and so within one Region",
    { details: { field: "keys", keys: [inside, outside] } },
  );
}

function wireCondition(condition: VersionCondition, place: number): WireCondition {
  const field = `conditions[${place}]`;
  const key = keyBytes(`${field}.key`, condition.key);
  const hasVersion = "version" in condition && condition.version !== undefined;
  const isAbsent = "absent" in condition && condition.absent === true;
  if (hasVersion === isAbsent) {
    throw invalid(field, `${field} must have exactly one of version and absent: true`, condition);
  }
  return {
    $typeName: "rdb.v1.VersionCondition",
    key,
    version: hasVersion ? versionBigInt(`${field}.version`, condition.version) : 0n,
  };
}

function wireMutation(mutation: Mutation, place: number): WireMutation {
  const field = `mutations[${place}]`;
  const isPut = "put" in mutation && mutation.put !== undefined;
  const isDelete = "delete" in mutation && mutation.delete !== undefined;
  if (isPut === isDelete) {
    throw invalid(field, `${field} must be either a put with a value, or a delete`, mutation);
  }
  return {
    $typeName: "rdb.v1.Mutation",
    operation: isPut
      ? {
          case: "put",
          value: {
            $typeName: "rdb.v1.KeyValue",
            key: keyBytes(`${field}.put`, mutation.put),
            value: valueBytes(`${field}.value`, mutation.value),
          },
        }
      : { case: "delete", value: keyBytes(`${field}.delete`, (mutation as { delete: Bytes }).delete) },
  };
}

function keyOf({ operation }: WireMutation): Uint8Array {
  return operation.case === "put" ? operation.value.key : (operation.value as Uint8Array);
}

function valuesBytes(mutations: readonly WireMutation[]): number {
  return mutations.reduce(
    (sum, { operation }) => sum + (operation.case === "put" ? operation.value.value.length : 0),
    0,
  );
}

import { RdbError } from "@flaredb/rdb-base";

/** What a Store has served since its process started, as it tells PD at `GET /api/v1/flow`. */
export interface StoreFlow {
  /** Differs between two processes of the same Store: counts began anew. */
  readonly bootId: string;
  readonly reads: FlowCounts;
  readonly writes: FlowCounts;
  /** What Regions led here are asked for just now, each a second; idle ones are left out. */
  readonly regions: readonly RegionFlowReport[];
}

/** Requests of one kind. */
export interface FlowCounts {
  readonly count: number;
  /** Of some of them, by how long they took here: see {@link durationBucket}. */
  readonly durations: readonly number[];
}

export interface RegionFlowReport {
  readonly id: number;
  readonly writtenBytes: number;
  readonly writtenKeys: number;
  readonly readBytes: number;
  readonly readKeys: number;
}

/** Durations are counted in buckets that reach up to 0.05 ms times powers of the square root of two: 0.05 ms to 50 s. */
export const DURATION_BUCKET_COUNT = 41;
const FIRST_MS = 0.05;
const STEPS_OF_TWO = 2;

/** Nothing counted yet, in a new array. */
export function noDurations(): number[] {
  return Array.from({ length: DURATION_BUCKET_COUNT }, () => 0);
}

/** The bucket of a duration in milliseconds. */
export function durationBucket(ms: number): number {
  const at = ms <= FIRST_MS ? 0 : Math.ceil(STEPS_OF_TWO * Math.log2(ms / FIRST_MS));
  return Math.min(at, DURATION_BUCKET_COUNT - 1);
}

/** Up to how long the durations in a bucket are, in milliseconds. */
export function durationBoundMs(bucket: number): number {
  return FIRST_MS * 2 ** (bucket / STEPS_OF_TWO);
}

/**
 * The duration, in milliseconds, within which the part `share` of what was counted ended, to the next bucket's bound.
 *
 * @returns undefined when nothing was counted
 */
export function durationQuantileMs(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const bucket = counts.findIndex((count) => {
    seen += count;
    return total > 0 && seen >= share * total;
  });
  return bucket === -1 ? undefined : durationBoundMs(bucket);
}

/** @throws RdbError RDB_INTERNAL when it is no StoreFlow */
export function storeFlowFromJson(value: unknown): StoreFlow {
  const { bootId, reads, writes, regions } = fieldsOf(value);
  if (typeof bootId !== "string" || !Array.isArray(regions)) {
    throw malformed("bootId or regions");
  }
  return {
    bootId,
    reads: countsFromJson(reads),
    writes: countsFromJson(writes),
    regions: regions.map((region) => {
      const { id, writtenBytes, writtenKeys, readBytes, readKeys } = fieldsOf(region);
      return {
        id: amount(id),
        writtenBytes: amount(writtenBytes),
        writtenKeys: amount(writtenKeys),
        readBytes: amount(readBytes),
        readKeys: amount(readKeys),
      };
    }),
  };
}

function countsFromJson(value: unknown): FlowCounts {
  const { count, durations } = fieldsOf(value);
  if (!Array.isArray(durations) || durations.length !== DURATION_BUCKET_COUNT) {
    throw malformed("durations");
  }
  return { count: amount(count), durations: durations.map(amount) };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) {
    throw malformed("an object");
  }
  return value as Readonly<Record<string, unknown>>;
}

function amount(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw malformed("an amount");
  }
  return value;
}

function malformed(what: string): RdbError {
  return new RdbError("RDB_INTERNAL", `the Store's flow lacks ${what}`);
}

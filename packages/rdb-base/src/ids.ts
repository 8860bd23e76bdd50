/** A number that only stands for the things of its kind. */
type Branded<Kind extends string> = number & { readonly __kind: Kind };

/** One Store process and its data. Unique in the cluster, never used again. Safe integer, >= 1. */
export type StoreId = Branded<"StoreId">;
/** One Region: a key range and its Raft group. Safe integer, >= 1. */
export type RegionId = Branded<"RegionId">;
/** One replica of a Region on one Store; the id of a node in Raft. Safe integer, >= 1. */
export type PeerId = Branded<"PeerId">;
/** A Raft term. Safe integer, >= 0. */
export type Term = Branded<"Term">;
/** A position in a Raft log. Safe integer, >= 0; the first entry has 1. */
export type Index = Branded<"Index">;

export const storeId = (value: number | bigint): StoreId => safeInteger(value, "store id") as StoreId;
export const regionId = (value: number | bigint): RegionId => safeInteger(value, "region id") as RegionId;
export const peerId = (value: number | bigint): PeerId => safeInteger(value, "peer id") as PeerId;
export const term = (value: number | bigint): Term => safeInteger(value, "term") as Term;
export const index = (value: number | bigint): Index => safeInteger(value, "index") as Index;

/**
 * Narrows a u64 of the wire to a safe integer.
 *
 * @throws RangeError when the value is negative, fractional or above 2^53 - 1
 */
export function safeInteger(value: number | bigint, what: string): number {
  const narrowed = Number(value);
  if (!Number.isSafeInteger(narrowed) || narrowed < 0) {
    throw new RangeError(`${what} ${value} must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  return narrowed;
}

import type { Index, Term } from "@flaredb/rdb-base";

/** Before the first entry. */
export const ZERO_INDEX = 0 as Index;
/** Before the first election; on a message: a local one. */
export const ZERO_TERM = 0 as Term;

/** The index `delta` positions after `index` (before it, when negative). */
export function plus(index: Index | 0, delta: number): Index {
  return (index + delta) as Index;
}

/** The lower of two indexes. */
export function minIndex(left: Index | 0, right: Index | 0): Index {
  return (left < right ? left : right) as Index;
}

/** The higher of two indexes. */
export function maxIndex(left: Index | 0, right: Index | 0): Index {
  return (left > right ? left : right) as Index;
}

/** A term and an index: names one entry of all the logs there ever were (log matching property, thesis §3.5). */
export interface EntryId {
  readonly term: Term;
  readonly index: Index;
}

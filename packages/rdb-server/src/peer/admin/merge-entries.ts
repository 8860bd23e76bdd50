import { type Index, RdbError, type Term, assert, index, safeInteger, term } from "@flaredb/rdb-base";
import { type CommitMergeCommand, EntryType } from "@flaredb/rdb-proto";
import type { Entry } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";

/** Most bytes of entries that a merge carries from the source to the target. */
const CARRIED_MAX_BYTES = 1024 * 1024;
/** What an entry counts for beside its data. */
const ENTRY_HEADER_BYTES = 32;

/** Entries of the source that CommitMerge carries, with the term of the one before them. */
export interface CarriedEntries {
  readonly previousIndex: Index;
  readonly previousTerm: Term;
  /** Through the source's PrepareMerge, without gaps. */
  readonly entries: readonly Entry[];
}

/** The entries of a log in (after, through], or why there are none to carry. */
export function entriesToCarry(log: RaftLogStore, after: Index, through: Index): CarriedEntries | string {
  const previousTerm = log.term(after);
  const entries =
    after < through && through <= log.lastIndex()
      ? log.entries(index(after + 1), index(through + 1), Number.POSITIVE_INFINITY)
      : [];
  if (typeof previousTerm === "string" || typeof entries === "string" || entries.length !== through - after) {
    return `entries ${after + 1} to ${through} are not all in the log, which has ${log.firstIndex()} to ${log.lastIndex()}`;
  }
  const bytes = entries.reduce((sum, { data }) => sum + data.length + ENTRY_HEADER_BYTES, 0);
  if (bytes > CARRIED_MAX_BYTES) {
    return `${entries.length} entries of ${bytes} bytes are above the limit of ${CARRIED_MAX_BYTES}`;
  }
  return { previousIndex: after, previousTerm, entries };
}

export function carriedToProto({
  entries,
  previousTerm,
}: CarriedEntries): Pick<CommitMergeCommand, "sourceEntries" | "previousTerm"> {
  return {
    previousTerm: BigInt(previousTerm),
    sourceEntries: entries.map((entry) => {
      assert(entry.type === "Normal", "a merge carries no conf change");
      return {
        $typeName: "rdb.v1.Entry",
        type: EntryType.NORMAL,
        term: BigInt(entry.term),
        index: BigInt(entry.index),
        data: entry.data,
      };
    }),
  };
}

/** @throws RdbError RDB_DATA_CORRUPT when they do not lead up to `commit_index` */
export function carriedFromProto({
  commitIndex,
  sourceEntries,
  previousTerm,
}: Pick<CommitMergeCommand, "commitIndex" | "sourceEntries" | "previousTerm">): CarriedEntries {
  const through = safeInteger(commitIndex, "commit index");
  const previousIndex = index(through - sourceEntries.length);
  const entries = sourceEntries.map((entry, place): Entry => {
    if (entry.index !== BigInt(previousIndex + 1 + place) || entry.type !== EntryType.NORMAL) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `a merge carries entry ${entry.index} of type ${entry.type} where entry ${previousIndex + 1 + place} must be`,
      );
    }
    return {
      index: index(previousIndex + 1 + place),
      term: term(safeInteger(entry.term, "entry term")),
      type: "Normal",
      data: entry.data,
    };
  });
  return { previousIndex, previousTerm: term(safeInteger(previousTerm, "previous term")), entries };
}

/**
 * What a peer of the source has still to apply, so that it stands at the PrepareMerge: what it has itself, as far as
 * that is known to be committed, then what is carried.
 *
 * @returns `own`: how far its own log is right; or why it cannot get there
 */
export function catchUp(
  log: RaftLogStore,
  applied: Index,
  carried: CarriedEntries,
): { readonly own: readonly Entry[]; readonly carried: readonly Entry[] } | string {
  const { previousIndex, previousTerm } = carried;
  const missing = carried.entries.filter((entry) => entry.index > applied);
  if (applied >= previousIndex) {
    return { own: [], carried: missing };
  }
  // Logs that have the same entry at one place are the same up to it (Raft thesis §3.5).
  if (previousIndex > log.lastIndex() || log.term(previousIndex) !== previousTerm) {
    return `it lacks entry ${previousIndex} of term ${previousTerm}, its log ends at ${log.lastIndex()}`;
  }
  const own = log.entries(index(applied + 1), index(previousIndex + 1), Number.POSITIVE_INFINITY);
  return typeof own === "string" || own.length !== previousIndex - applied
    ? `its log lacks entries of ${applied + 1} to ${previousIndex}: it begins at ${log.firstIndex()}`
    : { own, carried: missing };
}

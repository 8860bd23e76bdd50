import { RdbError, type Region, type StoreId, term } from "@flaredb/rdb-base";
import type { SplitCommand } from "@flaredb/rdb-proto";
import {
  type ApplyState,
  type Engine,
  type InitialRaftState,
  RaftLogStore,
  type WritePart,
  hasDamageMark,
  getTakenRegions,
  indexedKey,
  putApplyState,
  putDamageMark,
  putRegionLocalState,
  putTakenRegions,
} from "@flaredb/rdb-storage";
import { confStateOf } from "../conf-state.ts";
import { SessionTable, type StoredSessionRow } from "../session-table.ts";
import type { AdminEffect, AdminEntry } from "./admin-entry.ts";
import { childPlace } from "./child-place.ts";
import { planSplit } from "./split-plan.ts";

/** A peer of a Region that was split off, with everything that opening it needs: nothing has to be read. */
export interface ChildStart {
  readonly region: Region;
  readonly applyState: ApplyState;
  readonly raftState: InitialRaftState;
  readonly sessions: SessionTable;
}

/** What a split made here. */
export interface SplitOutcome {
  /** The Region itself, shrunk. */
  readonly region: Region;
  readonly children: readonly ChildStart[];
  /** New Regions without a peer here: a later life of them passed already. Nothing of their keys belongs here. */
  readonly absent: readonly Region[];
}

/** What a split works on. */
export interface SplitOwner {
  readonly engine: Engine;
  readonly storeId: StoreId;
  region(): Region;
  /** What is remembered of clients' writes. */
  sessions(): Pick<SessionTable, "rowIndexes">;
  /** The split is submitted: from now on the Region is what it made of it. */
  regionSplit(outcome: SplitOutcome): void;
}

/** The term before the first one of a new Region, as bootstrapped ones have it. */
const CHILD_TERM = term(5);

/**
 * Applies a split (SPEC S2, ADR 9): the shrunken Region, each new Region's state, its Raft state, and all that the
 * Region remembers of clients' writes, in one part. A new Region goes on from the Region's revision and log time, and
 * its log begins at the entry that split it off: the rows of `session` that it takes over stand before its own.
 */
export function applySplit(
  owner: SplitOwner,
  entry: AdminEntry,
  command: SplitCommand,
  part: WritePart,
): AdminEffect {
  const { state } = entry;
  const plan = planSplit(owner.region(), command);
  if (typeof plan === "string") {
    return { state };
  }
  const rows = sessionRows(owner);
  // Whoever has keys of a Region that was taken names it.
  const taken = getTakenRegions(owner.engine, plan.parent.id);
  const children: ChildStart[] = [];
  const absent: Region[] = [];
  for (const child of plan.children) {
    const place = childPlace(owner.engine, owner.storeId, child);
    if (place.kind === "taken") {
      absent.push(child);
      continue;
    }
    const start = childStart(child, state, place.promised);
    putChild(part, start, rows);
    if (hasDamageMark(owner.engine, owner.region().id)) {
      // Its rows are some of those that were found to be wrong.
      putDamageMark(part, child.id);
    }
    if (taken.length > 0) {
      putTakenRegions(part, child.id, taken);
    }
    children.push({ ...start, sessions: SessionTable.of(rows) });
  }
  putRegionLocalState(part, { state: "Normal", region: plan.parent });
  return {
    state,
    submitted: () => {
      for (const range of absent) {
        // A crash before this leaves rows that nobody can reach: whoever comes to own the range empties it first, and
        // the next start deletes them.
        owner.engine.deleteRange("data", range);
      }
      owner.regionSplit({ region: plan.parent, children, absent });
    },
  };
}

/** All the Region's rows: a record cannot be cut, and answers only for the keys that it has. */
export function sessionRows(owner: Pick<SplitOwner, "engine" | "region" | "sessions">): StoredSessionRow[] {
  const { id } = owner.region();
  return owner
    .sessions()
    .rowIndexes()
    .map((at) => {
      const value = owner.engine.get("session", indexedKey(id, at));
      if (value === undefined) {
        throw new RdbError("RDB_DATA_CORRUPT", `the session row of entry ${at} of Region ${id} is missing`);
      }
      return { index: at, value };
    });
}

/** What a new Region begins with that goes on from a part of another one's state. */
export function childStart(
  region: Region,
  state: ApplyState,
  promised?: InitialRaftState["promised"],
): Omit<ChildStart, "sessions"> {
  const raftState = {
    ...{ regionId: region.id, index: state.index, term: CHILD_TERM },
    ...{ confState: confStateOf(region), promised },
  };
  return { region, applyState: { ...state, term: CHILD_TERM }, raftState };
}

/** Writes that, and what is remembered of clients' writes. */
export function putChild(
  part: WritePart,
  { region, applyState, raftState }: Omit<ChildStart, "sessions">,
  rows: readonly StoredSessionRow[],
): void {
  putRegionLocalState(part, { state: "Normal", region });
  putApplyState(part, region.id, applyState);
  RaftLogStore.initialise(part, raftState);
  for (const { index, value } of rows) {
    part.put("session", indexedKey(region.id, index), value);
  }
}

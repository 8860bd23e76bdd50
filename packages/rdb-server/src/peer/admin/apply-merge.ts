import {
  RdbError,
  type Region,
  type RegionId,
  epochsEqual,
  index,
  regionId,
  safeInteger,
} from "@flaredb/rdb-base";
import {
  type CommitMergeCommand,
  type PrepareMergeCommand,
  type RefuseMergeCommand,
  type RollbackMergeCommand,
  regionFromProto,
} from "@flaredb/rdb-proto";
import {
  type ApplyState,
  type Engine,
  type PreparedMerge,
  type RaftLogStore,
  type WritePart,
  deleteApplyState,
  deleteMergeRecord,
  deleteTakenRegions,
  getTakenRegions,
  indexedKey,
  putMergeRecord,
  putRegionLocalState,
  putTakenRegions,
} from "@flaredb/rdb-storage";
import { SessionTable } from "../session-table.ts";
import type { AdminEffect, AdminEntry } from "./admin-entry.ts";
import { sessionRows } from "./apply-split.ts";
import { type SessionMemory, joinSessions } from "./join-sessions.ts";
import { joinedRegion, mergeProblem, preparedRegion, refusedRegion, rolledBackRegion } from "./merge-plan.ts";
import { joinTaken } from "./taken-regions.ts";

/** The source's peer on this Store, at its PrepareMerge and stopped: what the target takes. */
export interface MergeSource {
  readonly region: Region;
  readonly prepared: PreparedMerge;
  readonly applyState: ApplyState;
  readonly log: RaftLogStore;
  readonly memory: SessionMemory;
}

/** The target once it has taken a source. */
export interface MergeOutcome {
  readonly region: Region;
  readonly applyState: ApplyState;
  readonly sessions: SessionTable;
}

/** What merges work on: the source's peer for PrepareMerge and RollbackMerge, the target's for the others. */
export interface MergeOwner {
  readonly engine: Engine;
  region(): Region;
  sessions(): Pick<SessionTable, "rowIndexes" | "client">;
  /** Set from PrepareMerge to RollbackMerge. */
  prepared(): PreparedMerge | undefined;
  /**
   * Brings the source's peer here to where the merge takes it, stops it and hands it over.
   *
   * @throws RdbError when it cannot get there now
   */
  takeSource(command: CommitMergeCommand): MergeSource;
  /** From now on the Region serves nobody; or, without a merge, serves again. */
  mergeChanged(region: Region, prepared: PreparedMerge | undefined): void;
  /** The Region has decided against taking that one. */
  mergeRefused(region: Region, source: RegionId): void;
  regionMerged(outcome: MergeOutcome): void;
}

/** The target will not take the source: its version rises, and a CommitMerge behind this names the one before. */
export function applyRefuseMerge(
  owner: MergeOwner,
  { state }: AdminEntry,
  command: RefuseMergeCommand,
  part: WritePart,
): AdminEffect {
  const region = refusedRegion(owner.region());
  putRegionLocalState(part, { state: "Normal", region });
  return { state, submitted: () => owner.mergeRefused(region, regionId(command.sourceId)) };
}

/** The source waits from here on: its version rises, so that whatever was proposed for it before comes too late. */
export function applyPrepareMerge(
  owner: MergeOwner,
  { state }: AdminEntry,
  command: PrepareMergeCommand,
  part: WritePart,
): AdminEffect {
  if (command.target === undefined) {
    throw new RdbError("RDB_DATA_CORRUPT", `entry ${state.index} prepares a merge without a target`);
  }
  const region = preparedRegion(owner.region());
  const prepared: PreparedMerge = {
    kind: "Prepared",
    target: regionFromProto(command.target),
    minMatchedIndex: index(command.minMatchedIndex),
    prepareIndex: state.index,
  };
  putRegionLocalState(part, { state: "Normal", region });
  putMergeRecord(part, region.id, prepared);
  return { state, submitted: () => owner.mergeChanged(region, prepared) };
}

/** The target will not take the source any more: it serves again. */
export function applyRollbackMerge(
  owner: MergeOwner,
  { state }: AdminEntry,
  command: RollbackMergeCommand,
  part: WritePart,
): AdminEffect {
  if (owner.prepared()?.prepareIndex !== safeInteger(command.prepareIndex, "prepare index")) {
    return { state };
  }
  const region = rolledBackRegion(owner.region());
  putRegionLocalState(part, { state: "Normal", region });
  deleteMergeRecord(part, region.id);
  return { state, submitted: () => owner.mergeChanged(region, undefined) };
}

/**
 * The target takes the source, in one part: the joined Region, what both remember of their clients, and of the source a
 * tombstone that names the target. The rows of `data` stay where they are.
 */
export function applyCommitMerge(
  owner: MergeOwner,
  { state }: AdminEntry,
  command: CommitMergeCommand,
  part: WritePart,
): AdminEffect {
  if (command.source === undefined) {
    throw new RdbError("RDB_DATA_CORRUPT", `entry ${state.index} merges no source`);
  }
  const target = owner.region();
  const expected = regionFromProto(command.source);
  if (mergeProblem(expected, target) !== undefined) {
    return { state };
  }
  const source = owner.takeSource(command);
  if (!epochsEqual(source.region.epoch, expected.epoch)) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `Region ${expected.id} is at version ${source.region.epoch.version} where Region ${target.id} takes it at ${expected.epoch.version}`,
    );
  }
  const region = joinedRegion(target, source.region);
  const applyState: ApplyState = {
    ...state,
    revision: Math.max(state.revision, source.applyState.revision),
    logTimeMs: Math.max(state.logTimeMs, source.applyState.logTimeMs),
  };
  const sessions = joinMemories(owner, source, { region, applyState }, part);
  putRegionLocalState(part, { state: "Normal", region });
  putTaken(owner.engine, region, source.region, part);
  putRemains(source, region, part);
  return { state: applyState, submitted: () => owner.regionMerged({ region, applyState, sessions }) };
}

function joinMemories(
  owner: MergeOwner,
  source: MergeSource,
  { region, applyState }: Pick<MergeOutcome, "region" | "applyState">,
  part: WritePart,
): SessionTable {
  const own = sessionRows(owner);
  const joined = joinSessions([{ rows: own, table: owner.sessions() }, source.memory], applyState);
  // First: a joined row may stand where one of the target's stood.
  for (const { index: at } of own) {
    part.delete("session", indexedKey(region.id, at));
  }
  for (const { index: at } of source.memory.rows) {
    part.delete("session", indexedKey(source.region.id, at));
  }
  for (const { index: at, value } of joined) {
    part.put("session", indexedKey(region.id, at), value);
  }
  return SessionTable.of(joined);
}

function putTaken(engine: Engine, region: Region, source: Region, part: WritePart): void {
  const own = getTakenRegions(engine, region.id);
  const taken = joinTaken(own, getTakenRegions(engine, source.id), source.id);
  putTakenRegions(part, region.id, taken);
  deleteTakenRegions(part, source.id);
}

/** What is left of the source: its peer never comes back, and tells those that do not know yet who took the Region. */
function putRemains({ region, log }: MergeSource, into: Region, part: WritePart): void {
  log.destroy(part);
  deleteApplyState(part, region.id);
  putRegionLocalState(part, { state: "Tombstone", region });
  putMergeRecord(part, region.id, { kind: "Merged", into });
}

import { type Index, type RegionId, RdbError, index } from "@flaredb/rdb-base";
import type { ConfState, HardState } from "@flaredb/rdb-raft";
import type { Engine } from "./engine.ts";
import { parseIndexedKey, regionKeyRange, stateKey, stateKinds } from "./key-codec.ts";
import { type TruncatedState, decodeConfState, decodeHardState, decodeTruncatedState } from "./raft-codec.ts";

/** What a restart begins from. Invariant: truncated.index <= hardState.commit <= lastIndex. */
export interface LoadedRaftState {
  readonly hardState: HardState;
  readonly confState: ConfState;
  readonly truncated: TruncatedState;
  readonly lastIndex: Index;
}

/**
 * Reads a Region's Raft state and the bounds of its log, and checks that they fit.
 *
 * @throws RdbError RDB_DATA_CORRUPT, see `RaftLogStore.open`
 */
export async function loadRaftState(
  engine: Engine,
  { regionId, applied }: { readonly regionId: RegionId; readonly applied: Index },
): Promise<LoadedRaftState> {
  const read = (kind: number, what: string): Uint8Array =>
    engine.get("raft_state", stateKey(regionId, kind)) ?? refuseLog(regionId, `has no ${what}`);
  const truncated = decodeTruncatedState(read(stateKinds.truncated, "truncated state"));
  const stored = decodeHardState(read(stateKinds.hardState, "HardState"));
  const confState = decodeConfState(read(stateKinds.confState, "ConfState"));
  const bounds = await logBounds(engine, regionId);
  if (bounds !== undefined && bounds.first !== truncated.index + 1) {
    return refuseLog(regionId, `is truncated at ${truncated.index} but begins with entry ${bounds.first}`);
  }
  const lastIndex = bounds?.last ?? truncated.index;
  const commit = index(Math.max(stored.commit, applied, truncated.index));
  if (commit > lastIndex) {
    return refuseLog(
      regionId,
      `ends at ${lastIndex}, but ${stored.commit} was committed and ${applied} applied`,
    );
  }
  return { hardState: { ...stored, commit }, confState, truncated, lastIndex };
}

async function logBounds(
  engine: Engine,
  regionId: RegionId,
): Promise<{ readonly first: Index; readonly last: Index } | undefined> {
  const first = await edge(engine, regionId, false);
  const last = await edge(engine, regionId, true);
  return first === undefined || last === undefined ? undefined : { first, last };
}

async function edge(engine: Engine, regionId: RegionId, reverse: boolean): Promise<Index | undefined> {
  const cursor = engine.openCursor("raft_log", regionKeyRange(regionId), { reverse, keysOnly: true });
  try {
    const { rows } = await cursor.next(1, 1);
    return rows[0] === undefined ? undefined : parseIndexedKey(rows[0].key).index;
  } finally {
    cursor.close();
  }
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function refuseLog(regionId: RegionId, problem: string): never {
  throw new RdbError("RDB_DATA_CORRUPT", `the log of region ${regionId} ${problem}`, {
    details: { regionId },
  });
}

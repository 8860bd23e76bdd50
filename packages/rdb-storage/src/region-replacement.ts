import { type KeyRange, type Region, rangesOutside } from "@flaredb/rdb-base";
import { deleteDamageMark } from "./damage-mark.ts";
import type { Engine } from "./engine.ts";
import { regionKeyRange, stateKey, stateKinds } from "./key-codec.ts";
import { deleteApplyState, putRegionLocalState } from "./region-state-store.ts";
import type { SnapshotRow } from "./snapshot-chunk.ts";
import { WritePart } from "./write-part.ts";

// A Region's rows are deleted as a range, which is a step of its own in the stream and not synced (DESIGN §3). So a
// durable state goes before it, which tells a start to do it all again, and a durable state after it, which ends it.

export interface ApplySnapshotOptions {
  readonly engine: Engine;
  /** As the snapshot has it. */
  readonly region: Region;
  /** The snapshot's rows, each batch small enough for one pass of the writer; see `snapshotRowBatches`. */
  readonly batches: AsyncIterable<readonly SnapshotRow[]>;
  /** Asked before each step: whether to give up and leave the rest to the next start. */
  readonly isStopped?: () => boolean;
}

/**
 * Replaces a Region's rows by a snapshot's, then marks it Normal, durably. Its state is Applying, durably or in a part
 * that was submitted before; together with that went the log's new beginning and the snapshot's ApplyState. A start
 * that finds Applying calls it again with the same rows.
 *
 * @returns false when it was stopped
 * @throws what `batches` throws: the state stays Applying
 */
export async function applySnapshot(options: ApplySnapshotOptions): Promise<boolean> {
  const { engine, region } = options;
  engine.deleteRange("data", region);
  engine.deleteRange("session", regionKeyRange(region.id));
  for await (const batch of options.batches) {
    if (options.isStopped?.() === true) {
      return false;
    }
    const part = new WritePart();
    for (const { column, key, value } of batch) {
      part.put(column, key, value);
    }
    await written(engine, part);
  }
  if (options.isStopped?.() === true) {
    return false;
  }
  const last = new WritePart();
  putRegionLocalState(last, { state: "Normal", region });
  last.sync = true;
  await written(engine, last);
  return true;
}

/**
 * Removes everything that a Region has here and leaves a tombstone, durably. The peer is stopped before. A start that
 * finds Destroying calls it again, with the Region of that state.
 *
 * @param region its range is what is deleted
 * @param spared what belongs to other Regions of this Store: rows there stay
 */
export async function destroyRegion(
  engine: Engine,
  region: Region,
  spared: readonly KeyRange[] = [],
): Promise<void> {
  const first = new WritePart();
  putRegionLocalState(first, { state: "Destroying", region });
  first.sync = true;
  engine.submit(first);
  rangesBeside(region, spared).forEach((range) => engine.deleteRange("data", range));
  for (const column of ["session", "raft_log", "raft_state"] as const) {
    engine.deleteRange(column, regionKeyRange(region.id));
  }
  const last = new WritePart();
  deleteApplyState(last, region.id);
  deleteDamageMark(last, region.id);
  putRegionLocalState(last, { state: "Tombstone", region });
  last.sync = true;
  await written(engine, last);
}

/** The parts of a range that are in none of the others. */
export function rangesBeside(range: KeyRange, others: readonly KeyRange[]): readonly KeyRange[] {
  return others.reduce<readonly KeyRange[]>(
    (parts, other) => parts.flatMap((part) => rangesOutside(part, other)),
    [range],
  );
}

/**
 * Removes a peer that never had its Region's content, and leaves a tombstone, durably and in one step: no key of the
 * Store is its own. The peer is stopped before.
 *
 * @param region as its local state names it
 */
export async function destroyUninitialised(engine: Engine, region: Region): Promise<void> {
  const part = new WritePart();
  for (const kind of [stateKinds.truncated, stateKinds.hardState, stateKinds.confState]) {
    part.delete("raft_state", stateKey(region.id, kind));
  }
  putRegionLocalState(part, { state: "Tombstone", region });
  part.sync = true;
  await written(engine, part);
}

function written(engine: Engine, part: WritePart): Promise<void> {
  return new Promise((resolve) => engine.submit(part, resolve));
}

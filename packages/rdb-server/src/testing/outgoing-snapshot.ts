import { index, peerId, regionId, term } from "@flaredb/rdb-base";
import type { SnapshotRow } from "@flaredb/rdb-storage";
import { encodeSnapshotDescription, snapshotIdOf } from "../peer/snapshot-description.ts";
import type { OutgoingSnapshot } from "../store/ports.ts";
import { raftMessage, voterOn } from "./peer-messages.ts";
import { rowsCursor } from "./snapshot-rows.ts";

/** A snapshot of the rows from Store 1 to Store 2; of Region 7 at entry 123 of term 6, unless told otherwise. */
export function outgoingSnapshot(
  rows: readonly SnapshotRow[],
  place: { readonly region?: number; readonly index?: number; readonly term?: number } = {},
): OutgoingSnapshot & { readonly closedCount: () => number } {
  const id = regionId(place.region ?? 7);
  const applyState = {
    index: index(place.index ?? 123),
    term: term(place.term ?? 6),
    revision: 99,
    logTimeMs: 1_000,
  };
  const region = {
    id,
    startKey: new TextEncoder().encode("a"),
    endKey: new TextEncoder().encode("z"),
    epoch: { confVer: 3, version: 4 },
    peers: [voterOn(1), voterOn(2)],
  };
  const confState = {
    ...{ voters: [peerId(10), peerId(20)], learners: [], votersOutgoing: [], learnersNext: [] },
    autoLeave: false,
  };
  const metadata = { index: applyState.index, term: applyState.term, confState };
  const snapshot = { metadata, data: encodeSnapshotDescription(region, applyState) };
  let closedCount = 0;
  const onClose = (): void => {
    closedCount++;
  };
  return {
    snapshotId: snapshotIdOf({ regionId: id, term: applyState.term, index: applyState.index }),
    message: raftMessage(1, 2, { type: "MsgSnap", term: applyState.term, snapshot }, id),
    region,
    applyState,
    cursors: { data: rowsCursor(rows, "data", onClose), session: rowsCursor(rows, "session", onClose) },
    closedCount: () => closedCount,
  };
}

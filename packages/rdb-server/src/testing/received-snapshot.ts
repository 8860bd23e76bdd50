import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { SnapshotChunkWriter, type SnapshotRow } from "@flaredb/rdb-storage";
import type { SnapshotFiles } from "../store/ports.ts";
import { rowsCursor } from "./snapshot-rows.ts";

/** The Region of the snapshots below. */
export const snapshotRegion: Region = {
  id: regionId(7),
  startKey: new TextEncoder().encode("a"),
  endKey: new TextEncoder().encode("z"),
  epoch: { confVer: 3, version: 4 },
  peers: [{ id: peerId(70), storeId: storeId(1), role: "Voter" }],
};

/** Receives the rows as snapshot `id`, in small chunks; not yet complete. */
export async function receiveChunks(files: SnapshotFiles, id: string, rows: readonly SnapshotRow[]) {
  const incoming = await files.receive(id, snapshotRegion);
  const cursors = { data: rowsCursor(rows, "data"), session: rowsCursor(rows, "session") };
  const writer = new SnapshotChunkWriter(cursors, 1_000);
  for (let chunk = await writer.next(); chunk !== undefined; chunk = await writer.next()) {
    await incoming.append(chunk);
  }
  return incoming;
}

/** Receives the rows as snapshot `id`, whole. */
export async function receiveSnapshot(
  files: SnapshotFiles,
  id: string,
  rows: readonly SnapshotRow[],
): Promise<void> {
  const incoming = await receiveChunks(files, id, rows);
  await incoming.complete();
}

/** The rows of a received snapshot. */
export async function readSnapshot(
  files: SnapshotFiles,
  id: string,
  maxBytes = 1_000,
): Promise<SnapshotRow[]> {
  const rows: SnapshotRow[] = [];
  for await (const batch of files.read(id, maxBytes)) {
    rows.push(...batch);
  }
  return rows;
}

import { createHash } from "node:crypto";
import { KiB, type Region } from "@flaredb/rdb-base";
import type { ApplyState, Cursor } from "@flaredb/rdb-storage";

/** Rows that are hashed in one go, at most: what the loop then waits for takes some 100 us. */
const SLICE_MAX_BYTES = 128 * KiB;
const SLICE_MAX_COUNT = 512;
const LENGTHS_BYTES = 8;

export interface RegionHashOptions {
  readonly region: Region;
  readonly state: ApplyState;
  /** Opened in the turn in which `state` was the Region's; closed when the promise settles. */
  readonly cursors: { readonly data: Cursor; readonly session: Cursor };
  /** Resolves when so many bytes may be read. */
  readonly take: (bytes: number) => Promise<void>;
  readonly isStopped: () => boolean;
}

/**
 * A hash of all that peers of a Region have in common at one entry: who they are, its range and epoch, how far it is,
 * its rows with their versions, and what is remembered of clients' writes.
 *
 * @returns undefined when it was stopped
 * @throws RdbError RDB_DATA_CORRUPT when a row cannot be read
 */
export async function hashRegion(options: RegionHashOptions): Promise<Uint8Array | undefined> {
  const { region, state, cursors } = options;
  const hash = createHash("sha256");
  hash.update(headOf(region, state));
  try {
    for (const cursor of [cursors.data, cursors.session]) {
      for (let isDone = false; !isDone; ) {
        const { rows, done } = await cursor.next(SLICE_MAX_COUNT, SLICE_MAX_BYTES);
        let bytes = 0;
        for (const { key, value } of rows) {
          const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
          lengths.writeUInt32BE(key.length, 0);
          lengths.writeUInt32BE(value.length, 4);
          hash.update(lengths).update(key).update(value);
          bytes += key.length + value.length;
        }
        isDone = done;
        await options.take(bytes);
        if (options.isStopped()) {
          return undefined;
        }
      }
      // So that a row cannot move from one column to the other unseen.
      hash.update("|");
    }
    return hash.digest();
  } finally {
    cursors.data.close();
    cursors.session.close();
  }
}

function headOf(region: Region, state: ApplyState): string {
  const peers = region.peers.map(({ id, storeId, role }) => `${id}@${storeId} ${role}`);
  return JSON.stringify([
    region.id,
    Buffer.from(region.startKey).toString("hex"),
    Buffer.from(region.endKey).toString("hex"),
    [region.epoch.confVer, region.epoch.version],
    peers,
    [state.index, state.term, state.revision, state.logTimeMs],
  ]);
}

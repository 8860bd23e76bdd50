import { type Index, type KeyRange, type RegionId, assert, index, regionId } from "@flaredb/rdb-base";
import { readU64, writeU64 } from "./bytes.ts";

// Keys of the columns that belong to Regions (DESIGN §3). Big endian, so that they order by Region, then by index or
// kind; the Region's id comes first, so no two Regions share a key. The column `data` has the user's keys as they are.

/** What a row of a Region's state is. The numbers are part of the disk format. */
export const stateKinds = {
  /** Column raft_state. */
  hardState: 1,
  confState: 2,
  truncated: 3,
  /** Column region. */
  localState: 1,
  applyState: 2,
  merge: 3,
  taken: 4,
  damaged: 5,
} as const;

const INDEXED_KEY_BYTES = 16;
const STATE_KEY_BYTES = 9;

/** Key of an entry in `raft_log`, or of an entry's answers in `session`. */
export function indexedKey(region: RegionId, position: Index): Uint8Array {
  const key = new Uint8Array(INDEXED_KEY_BYTES);
  writeU64(key, 0, region);
  writeU64(key, 8, position);
  return key;
}

export function parseIndexedKey(key: Uint8Array): { readonly regionId: RegionId; readonly index: Index } {
  assert(key.length === INDEXED_KEY_BYTES, "a key of raft_log and session has 16 bytes");
  return { regionId: regionId(readU64(key, 0)), index: index(readU64(key, 8)) };
}

/** Key of a row in `raft_state` or `region`. */
export function stateKey(region: RegionId, kind: number): Uint8Array {
  const key = new Uint8Array(STATE_KEY_BYTES);
  writeU64(key, 0, region);
  key[8] = kind;
  return key;
}

export function parseStateKey(key: Uint8Array): { readonly regionId: RegionId; readonly kind: number } {
  assert(key.length === STATE_KEY_BYTES, "a key of raft_state and region has 9 bytes");
  return { regionId: regionId(readU64(key, 0)), kind: key[8] as number };
}

/** Every key of a Region in one of the columns that begin with its id. */
export function regionKeyRange(region: RegionId): KeyRange {
  const startKey = new Uint8Array(8);
  writeU64(startKey, 0, region);
  const endKey = new Uint8Array(8);
  writeU64(endKey, 0, region + 1);
  return { startKey, endKey };
}

/** The keys of a Region from index `low` up to, but without, `high`. */
export function indexedKeyRange(region: RegionId, low: Index, high: Index): KeyRange {
  return { startKey: indexedKey(region, low), endKey: indexedKey(region, high) };
}

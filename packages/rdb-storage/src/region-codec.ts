import {
  type Index,
  type Peer,
  type PeerRole,
  type Region,
  type Term,
  index,
  peerId,
  regionId,
  storeId,
  term,
} from "@flaredb/rdb-base";
import { RecordReader, RecordWriter } from "./bytes.ts";

// What a Region's own state looks like on disk: a format byte, then fields. Checksums are RocksDB's.
const FORMAT = 1;

// The orders are part of the disk format.
const phases = ["Normal", "Applying", "Destroying", "Tombstone", "Uninitialised"] as const;
const roles = ["Voter", "Learner", "IncomingVoter", "DemotingVoter"] as const satisfies readonly PeerRole[];

/**
 * What a Store holds of a Region. Normal: everything. Applying: a snapshot is replacing its data, see
 * `SnapshotApplier`. Destroying: its data is being removed. Tombstone: nothing, and its peer never comes back.
 * Uninitialised: a peer that can vote and waits for its first snapshot; of its Region only the id, the epoch at which
 * it was made and the peer itself are known, and the range says nothing.
 */
export type RegionPhase = (typeof phases)[number];

/** One Region on this Store: its phase, and the Region as this Store last knew it. */
export interface RegionLocalState {
  readonly state: RegionPhase;
  readonly region: Region;
}

/** How far a Region's state machine is. Written in the same part as the data of the entry. */
export interface ApplyState {
  /** The last applied entry. */
  readonly index: Index;
  readonly term: Term;
  /** Mutations applied since the Region began; versions are drawn from it. */
  readonly revision: number;
  /** The log time of the last applied entry that has one; ms since 1970, an integer. */
  readonly logTimeMs: number;
}

export function encodeRegionLocalState({ state, region }: RegionLocalState): Uint8Array {
  const writer = new RecordWriter()
    .u8(FORMAT)
    .u8(phases.indexOf(state))
    .u64(region.id)
    .bytes(region.startKey)
    .bytes(region.endKey)
    .u64(region.epoch.confVer)
    .u64(region.epoch.version)
    .u64(region.peers.length);
  for (const peer of region.peers) {
    writer.u64(peer.id).u64(peer.storeId).u8(roles.indexOf(peer.role));
  }
  return writer.finish();
}

/** The region's keys are copies. @throws RdbError RDB_DATA_CORRUPT */
export function decodeRegionLocalState(row: Uint8Array): RegionLocalState {
  const reader = new RecordReader(row, "RegionLocalState").format(FORMAT);
  const state = oneOf(phases, reader, "phase");
  const id = regionId(reader.u64());
  const startKey = reader.bytes().slice();
  const endKey = reader.bytes().slice();
  const epoch = { confVer: reader.u64(), version: reader.u64() };
  const peerCount = reader.u64();
  const peers: Peer[] = [];
  for (let i = 0; i < peerCount; i++) {
    peers.push({
      id: peerId(reader.u64()),
      storeId: storeId(reader.u64()),
      role: oneOf(roles, reader, "peer role"),
    });
  }
  reader.end();
  return { state, region: { id, startKey, endKey, epoch, peers } };
}

export function encodeApplyState(state: ApplyState): Uint8Array {
  return new RecordWriter()
    .u8(FORMAT)
    .u64(state.index)
    .u64(state.term)
    .u64(state.revision)
    .u64(state.logTimeMs)
    .finish();
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function decodeApplyState(row: Uint8Array): ApplyState {
  const reader = new RecordReader(row, "ApplyState").format(FORMAT);
  const state = {
    index: index(reader.u64()),
    term: term(reader.u64()),
    revision: reader.u64(),
    logTimeMs: reader.u64(),
  };
  reader.end();
  return state;
}

function oneOf<T>(table: readonly T[], reader: RecordReader, what: string): T {
  const number = reader.u8();
  return table[number] ?? reader.fail(`has an unknown ${what} ${number}`);
}

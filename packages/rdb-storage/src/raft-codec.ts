import { type Index, type PeerId, type Term, RdbError, index, peerId, term } from "@flaredb/rdb-base";
import type { ConfState, Entry, EntryType, HardState } from "@flaredb/rdb-raft";
import { RecordReader, RecordWriter, passingBytes, readU64, writeU64 } from "./bytes.ts";

// What a Region's Raft state looks like on disk: a format byte, then fields. Checksums are RocksDB's.
const FORMAT = 1;

// The order is part of the disk format.
const entryTypes: readonly EntryType[] = ["Normal", "ConfChange", "ConfChangeV2"];
const entryTypeNumbers: Readonly<Record<EntryType, number>> = { Normal: 0, ConfChange: 1, ConfChangeV2: 2 };

/** Format, type, term. The index is in the key. */
const ENTRY_HEADER_BYTES = 10;

export function encodeEntry(entry: Entry): Uint8Array {
  const row = passingBytes(ENTRY_HEADER_BYTES + entry.data.length);
  row[0] = FORMAT;
  row[1] = entryTypeNumbers[entry.type];
  writeU64(row, 2, entry.term);
  row.set(entry.data, ENTRY_HEADER_BYTES);
  return row;
}

/** The entry's data is a view of `row`. @throws RdbError RDB_DATA_CORRUPT */
export function decodeEntry(row: Uint8Array, position: Index): Entry {
  const type = entryTypes[row[1] ?? -1];
  if (row.length < ENTRY_HEADER_BYTES || row[0] !== FORMAT || type === undefined) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `the stored entry ${position} has ${row.length} bytes, format ${row[0]} and type ${row[1]}`,
    );
  }
  return { index: position, term: term(readU64(row, 2)), type, data: row.subarray(ENTRY_HEADER_BYTES) };
}

export function encodeHardState(state: HardState): Uint8Array {
  return new RecordWriter().u8(FORMAT).u64(state.term).u64(state.vote).u64(state.commit).finish();
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function decodeHardState(row: Uint8Array): HardState {
  const reader = new RecordReader(row, "HardState").format(FORMAT);
  const state = { term: term(reader.u64()), vote: peerId(reader.u64()), commit: index(reader.u64()) };
  reader.end();
  return state;
}

export function encodeConfState(state: ConfState): Uint8Array {
  return new RecordWriter()
    .u8(FORMAT)
    .u64List(state.voters)
    .u64List(state.learners)
    .u64List(state.votersOutgoing)
    .u64List(state.learnersNext)
    .u8(state.autoLeave ? 1 : 0)
    .finish();
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function decodeConfState(row: Uint8Array): ConfState {
  const reader = new RecordReader(row, "ConfState").format(FORMAT);
  const peers = (): PeerId[] => reader.u64List().map((id) => peerId(id));
  const state = {
    voters: peers(),
    learners: peers(),
    votersOutgoing: peers(),
    learnersNext: peers(),
    autoLeave: reader.u8() === 1,
  };
  reader.end();
  return state;
}

/** The last entry that is known only by its term: the log begins after it. */
export interface TruncatedState {
  readonly index: Index;
  readonly term: Term;
}

export function encodeTruncatedState(state: TruncatedState): Uint8Array {
  return new RecordWriter().u8(FORMAT).u64(state.index).u64(state.term).finish();
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function decodeTruncatedState(row: Uint8Array): TruncatedState {
  const reader = new RecordReader(row, "truncated state").format(FORMAT);
  const state = { index: index(reader.u64()), term: term(reader.u64()) };
  reader.end();
  return state;
}

import { type Index, type Region, type RegionId, index, regionId } from "@flaredb/rdb-base";
import { RecordReader, RecordWriter } from "./bytes.ts";
import type { Engine } from "./engine.ts";
import { stateKey, stateKinds } from "./key-codec.ts";
import { decodeRegionLocalState, encodeRegionLocalState } from "./region-codec.ts";
import type { WritePart } from "./write-part.ts";

// What a Store keeps of merges: how far one has come at its source, which Region took a source that is gone, and whom a
// target has taken. A format byte, then fields. Checksums are RocksDB's.
const FORMAT = 1;

// The order is part of the disk format.
const kinds = ["Prepared", "Merged"] as const;

/** Most sources that a Region remembers to have taken, the latest: they tell snapshots' receivers what else ends. */
export const TAKEN_MAX_COUNT = 1_024;

/** A source that waits: it serves nobody until the target takes it or the merge is rolled back. */
export interface PreparedMerge {
  readonly kind: "Prepared";
  /** As it has to be for it to take the source. */
  readonly target: Region;
  /** Every peer of the source had this entry when the merge was proposed. */
  readonly minMatchedIndex: Index;
  /** The source's PrepareMerge. */
  readonly prepareIndex: Index;
}

/** Beside a tombstone: the Region is no more, because another took it. */
export interface MergedAway {
  readonly kind: "Merged";
  /** The Region that took it, as it was then. */
  readonly into: Region;
}

export type MergeRecord = PreparedMerge | MergedAway;

/** Undefined when the Region is not a merge's source here. @throws RdbError RDB_DATA_CORRUPT */
export function getMergeRecord(engine: Engine, source: RegionId): MergeRecord | undefined {
  const row = engine.get("region", stateKey(source, stateKinds.merge));
  return row === undefined ? undefined : decodeMergeRecord(row);
}

export function putMergeRecord(part: WritePart, source: RegionId, record: MergeRecord): void {
  part.put("region", stateKey(source, stateKinds.merge), encodeMergeRecord(record));
}

/** The merge was rolled back, or a snapshot says that it was. */
export function deleteMergeRecord(part: WritePart, source: RegionId): void {
  part.delete("region", stateKey(source, stateKinds.merge));
}

/** Sources that the Region has taken, oldest first. @throws RdbError RDB_DATA_CORRUPT */
export function getTakenRegions(engine: Engine, target: RegionId): readonly RegionId[] {
  const row = engine.get("region", stateKey(target, stateKinds.taken));
  if (row === undefined) {
    return [];
  }
  const reader = new RecordReader(row, "taken Regions").format(FORMAT);
  const ids = reader.u64List().map(regionId);
  reader.end();
  return ids;
}

/** Keeps the latest {@link TAKEN_MAX_COUNT}. */
export function putTakenRegions(part: WritePart, target: RegionId, taken: readonly RegionId[]): void {
  const row = new RecordWriter().u8(FORMAT).u64List(taken.slice(-TAKEN_MAX_COUNT)).finish();
  part.put("region", stateKey(target, stateKinds.taken), row);
}

/** Once the Region is gone from here. */
export function deleteTakenRegions(part: WritePart, target: RegionId): void {
  part.delete("region", stateKey(target, stateKinds.taken));
}

export function encodeMergeRecord(record: MergeRecord): Uint8Array {
  const writer = new RecordWriter().u8(FORMAT).u8(kinds.indexOf(record.kind));
  return record.kind === "Prepared"
    ? writer.bytes(regionBytes(record.target)).u64(record.minMatchedIndex).u64(record.prepareIndex).finish()
    : writer.bytes(regionBytes(record.into)).finish();
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function decodeMergeRecord(row: Uint8Array): MergeRecord {
  const reader = new RecordReader(row, "MergeRecord").format(FORMAT);
  const number = reader.u8();
  const kind = kinds[number] ?? reader.fail(`has an unknown kind ${number}`);
  const { region } = decodeRegionLocalState(reader.bytes());
  const record: MergeRecord =
    kind === "Merged"
      ? { kind, into: region }
      : { kind, target: region, minMatchedIndex: index(reader.u64()), prepareIndex: index(reader.u64()) };
  reader.end();
  return record;
}

function regionBytes(region: Region): Uint8Array {
  return encodeRegionLocalState({ state: "Normal", region });
}

export type { Cursor, CursorOptions, Engine, Row } from "./engine.ts";
export { WritePart, type WriteOp } from "./write-part.ts";
export { columns, type Column } from "./column.ts";
export { openRocksEngine, type DiskEngine, type RocksEngineOptions } from "./rocks-engine.ts";
export type { RocksStatistics } from "./rocks-statistics.ts";
export type { WrittenPass } from "./stream-engine.ts";
export type { RocksOptions } from "./rocks-options.ts";
export { readClusterVersion, writeClusterVersion } from "./cluster-version-row.ts";
export { FORMAT_VERSION, markClusterVersion } from "./data-folder.ts";
export { readIdent, readIdentOf, writeIdent, type Ident, type PdIdent, type StoreIdent } from "./ident.ts";
export {
  COMPACT_MAX_COUNT,
  RaftLogStore,
  type InitialRaftState,
  type RaftLogStoreOptions,
} from "./raft-log-store.ts";
export type { TruncatedState } from "./raft-codec.ts";
export { EntryCache } from "./entry-cache.ts";
export {
  deleteApplyState,
  getApplyState,
  getRegionLocalState,
  listRegions,
  putApplyState,
  putRegionLocalState,
} from "./region-state-store.ts";
export type { ApplyState, RegionLocalState, RegionPhase } from "./region-codec.ts";
export {
  TAKEN_MAX_COUNT,
  deleteMergeRecord,
  deleteTakenRegions,
  getMergeRecord,
  getTakenRegions,
  putMergeRecord,
  putTakenRegions,
  type MergeRecord,
  type MergedAway,
  type PreparedMerge,
} from "./merge-record.ts";
export {
  applySnapshot,
  destroyRegion,
  destroyUninitialised,
  rangesBeside,
  type ApplySnapshotOptions,
} from "./region-replacement.ts";
export { SnapshotChunkWriter } from "./snapshot-chunk-writer.ts";
export { SnapshotChunkReader, snapshotRowBatches } from "./snapshot-chunk-reader.ts";
export { SNAPSHOT_CHUNK_MAX_BYTES, type SnapshotChunk, type SnapshotRow } from "./snapshot-chunk.ts";
export { decodeValue, encodeValue, type VersionedValue } from "./value-codec.ts";
export {
  SessionRowWriter,
  decodeSessionRow,
  type SessionClient,
  type SessionHead,
  type SessionRecord,
  type SessionRow,
} from "./session-codec.ts";
export {
  indexedKey,
  indexedKeyRange,
  parseIndexedKey,
  regionKeyRange,
  stateKey,
  stateKinds,
} from "./key-codec.ts";
export { deleteDamageMark, hasDamageMark, putDamageMark } from "./damage-mark.ts";
export { hasLostMark, writeLostMark } from "./lost-mark.ts";
export { RecordReader, RecordWriter } from "./bytes.ts";
export { ReserveFile, RESERVE_DEFAULT_BYTES, type ReserveFileOptions } from "./reserve-file.ts";
export { readDiskSpace, type DiskSpace } from "./disk-space.ts";
export { StreamEngine, type StreamEngineOptions } from "./stream-engine.ts";
export type { RawEngine, RawIterator, WriteOutcome } from "./raw-engine.ts";
export type { EncodedBatch } from "./batch-codec.ts";
export { MemoryEngine, type MemoryEngineOptions } from "./memory-engine.ts";
export { MemoryRawEngine, type MemoryDiskOptions } from "./memory-raw-engine.ts";

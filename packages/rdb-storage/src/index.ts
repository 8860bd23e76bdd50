export type { Cursor, CursorOptions, Engine, Row } from "./engine.ts";
export { WritePart, type WriteOp } from "./write-part.ts";
export { columns, type Column } from "./column.ts";
export { openRocksEngine, type RocksEngineOptions } from "./rocks-engine.ts";
export type { RocksOptions } from "./rocks-options.ts";
export { FORMAT_VERSION } from "./data-folder.ts";
export { StreamEngine, type StreamEngineOptions } from "./stream-engine.ts";
export type { RawEngine, RawIterator, WriteOutcome } from "./raw-engine.ts";

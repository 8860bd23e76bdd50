import { readdir } from "node:fs/promises";
import { RdbError } from "@flaredb/rdb-base";
import {
  FORMAT_VERSION,
  type DataFolder,
  checkFormat,
  dataFolder,
  markFormat,
  prepareFolder,
  syncFolder,
} from "./data-folder.ts";
import type { Engine } from "./engine.ts";
import type { RawEngine } from "./raw-engine.ts";
import { RocksRawEngine } from "./rocks-raw-engine.ts";
import { type RocksOptions, databaseOptions } from "./rocks-options.ts";
import { type RocksStatistics, readRocksStatistics } from "./rocks-statistics.ts";
import { isCorruption } from "./rocks-binding.ts";
import { StreamEngine, type StreamEngineOptions } from "./stream-engine.ts";
import { refuseLostRecords } from "./wal-scan.ts";
import { WritePart } from "./write-part.ts";

export interface RocksEngineOptions extends StreamEngineOptions, RocksOptions {
  /** The data folder; made when it is missing. */
  readonly path: string;
  /** What stands between the write stream and the database: a test's faults. Default: nothing. */
  readonly interpose?: (raw: RawEngine) => RawEngine;
}

/** An engine on disk, which can say how its database does. */
export interface DiskEngine extends Engine {
  /** Rejects when the database's files cannot be listed. */
  statistics(): Promise<RocksStatistics>;
}

const FORMAT_KEY = new TextEncoder().encode("format");

/**
 * Opens the database of a Store or PD member in its data folder. When it is refused, nothing was touched.
 *
 * @throws RdbError RDB_DATA_LOCKED when another process holds the folder; RDB_DATA_FORMAT when a newer program
 * wrote it; RDB_DATA_CORRUPT when it is damaged, or its log lost records that were synced (`refuseLostRecords`);
 * RDB_DISK_FULL when there is no room to recover its log (see `ReserveFile`); RDB_STORAGE_FAILED when the disk does
 * not do as it is told
 */
export async function openRocksEngine(options: RocksEngineOptions): Promise<DiskEngine> {
  const folder = dataFolder(options.path);
  await prepareFolder(folder);
  const settings = databaseOptions(options);
  const raw = await openRaw(folder, settings);
  const engine = new StreamEngine(options.interpose?.(raw) ?? raw, options);
  try {
    await syncFolder(folder.path);
    await ensureFormat(folder, engine);
  } catch (error) {
    await engine.close();
    throw RdbError.from(error, "RDB_STORAGE_FAILED");
  }
  const statistics = (): Promise<RocksStatistics> =>
    readRocksStatistics(folder.databasePath, (name) => raw.property(name));
  return Object.assign(engine, { statistics });
}

async function openRaw(
  folder: DataFolder,
  settings: ReturnType<typeof databaseOptions>,
): Promise<RocksRawEngine> {
  try {
    if (await hasDatabase(folder)) {
      await refuseIfLocked(folder);
      await refuseLostRecords(folder);
    }
    return await RocksRawEngine.open(folder.databasePath, settings);
  } catch (error) {
    throw openError(folder, error);
  }
}

/**
 * Whether a database is there to be opened, rather than to be made. Without CURRENT RocksDB makes a new one, over
 * whatever is left of an old one.
 */
async function hasDatabase(folder: DataFolder): Promise<boolean> {
  const names = await readdir(folder.databasePath).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") {
      return [];
    }
    throw error;
  });
  const hasCurrent = names.includes("CURRENT");
  if (!hasCurrent && names.some((name) => name.endsWith(".sst") || name.endsWith(".log"))) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `the database in ${folder.path} lost its file CURRENT; empty the folder and add this process as new`,
      { details: { path: folder.path } },
    );
  }
  return hasCurrent;
}

/**
 * RocksDB takes its lock first, then looks whether the database may exist: told that it must not, it says who holds
 * the lock and leaves everything as it is.
 */
async function refuseIfLocked(folder: DataFolder): Promise<void> {
  try {
    await RocksRawEngine.open(folder.databasePath, { ...databaseOptions({}), errorIfExists: true });
  } catch (error) {
    if (isLocked(error)) {
      throw error;
    }
    return;
  }
  throw new RdbError("RDB_INTERNAL", `RocksDB opened ${folder.databasePath} although it exists`);
}

/** An older format becomes the present one, first in the file: a former program then leaves the database alone. */
async function ensureFormat(folder: DataFolder, engine: Engine): Promise<void> {
  const stored = engine.get("meta", FORMAT_KEY);
  if (stored !== undefined) {
    const version = new TextDecoder().decode(stored);
    checkFormat(folder, version);
    if (version === String(FORMAT_VERSION)) {
      return;
    }
    await markFormat(folder);
  }
  const part = new WritePart();
  part.put("meta", FORMAT_KEY, new TextEncoder().encode(String(FORMAT_VERSION)));
  part.sync = true;
  engine.submit(part);
  await engine.flush();
}

function openError(folder: DataFolder, error: unknown): RdbError {
  if (error instanceof RdbError) {
    return error;
  }
  const details = { path: folder.path };
  const reason = error instanceof Error ? error.message : String(error);
  if (isLocked(error)) {
    return new RdbError(
      "RDB_DATA_LOCKED",
      `another process holds the data folder ${folder.path}; stop it, or give this one a folder of its own`,
      { details, cause: error },
    );
  }
  if (isCorruption(error)) {
    return new RdbError(
      "RDB_DATA_CORRUPT",
      `the database in ${folder.path} is damaged: ${reason}; empty the folder and add this process as new`,
      { details, cause: error },
    );
  }
  if (reason.includes("No space left on device")) {
    return new RdbError(
      "RDB_DISK_FULL",
      `the database in ${folder.path} cannot be opened, its disk is full; free some space, then start again`,
      { details, cause: error },
    );
  }
  return new RdbError("RDB_STORAGE_FAILED", `the database in ${folder.path} cannot be opened: ${reason}`, {
    details,
    cause: error,
  });
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "LEVEL_LOCKED";
}

import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RdbError, assert, clusterVersions } from "@flaredb/rdb-base";

/**
 * The format that this program writes into a new folder, and gives to older ones. A program that knows only 1 would leave the
 * identities of writes out of what it applies.
 */
export const FORMAT_VERSION = 2;
/** Folders from this format on are read, and get the present one when they are opened. */
const FORMAT_OLDEST_VERSION = 1;
/**
 * By the cluster version: from which format on programs know what a Store's folder may hold then. A folder keeps an older
 * format as long as its cluster's version is older, so that the program before this one can be started again.
 */
const formatsOfClusterVersions: Readonly<Record<number, number>> = { 1: FORMAT_VERSION, 2: 3 };
/** The newest that this program reads. */
const FORMAT_NEWEST_VERSION = formatsOfClusterVersions[clusterVersions.newest] ?? FORMAT_VERSION;

// Beside the database, so that a newer format is seen before RocksDB opens (and so changes) anything.
const FORMAT_FILE = "FORMAT";
const FORMAT_LINE = /^flaredb-data (\d{1,9})\n$/;

/** Where a process keeps its data: a folder of its own. */
export interface DataFolder {
  readonly path: string;
  /** RocksDB's own folder. */
  readonly databasePath: string;
}

export function dataFolder(path: string): DataFolder {
  return { path, databasePath: join(path, "db") };
}

/**
 * Refuses a folder of a newer format; a folder without a format gets the present one, durably.
 *
 * @throws RdbError RDB_DATA_FORMAT; RDB_STORAGE_FAILED when the folder cannot be made or written
 */
export async function prepareFolder(folder: DataFolder): Promise<void> {
  try {
    const made = await mkdir(folder.path, { recursive: true });
    if (made !== undefined) {
      await syncFolder(dirname(made));
    }
    if (!(await hasKnownFormat(folder))) {
      await markFormat(folder);
    }
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** Says durably that the folder has the format. Of a folder with data, by the process that holds it alone. */
export function markFormat(folder: DataFolder, version: number = FORMAT_VERSION): Promise<void> {
  return writeDurably(join(folder.path, FORMAT_FILE), `flaredb-data ${version}\n`);
}

/**
 * Says durably that the Store of this folder is in a cluster of that version: programs that do not know it refuse the
 * folder with RDB_DATA_FORMAT from now on.
 *
 * @throws RdbError RDB_STORAGE_FAILED
 */
export async function markClusterVersion(path: string, clusterVersion: number): Promise<void> {
  const format = formatsOfClusterVersions[clusterVersion];
  assert(format !== undefined, "each cluster version has its format");
  const folder = dataFolder(path);
  try {
    await markFormat(folder, format);
  } catch (error) {
    throw folderError(folder, error);
  }
}

/**
 * Reads only: whether the folder has data of a format that this program knows. No: there is none.
 *
 * @throws RdbError RDB_DATA_FORMAT when there is data of another format
 */
export async function hasKnownFormat(folder: DataFolder): Promise<boolean> {
  const text = await readText(join(folder.path, FORMAT_FILE));
  if (text === undefined) {
    return false;
  }
  checkFormat(folder, FORMAT_LINE.exec(text)?.[1] ?? `"${text.slice(0, 40)}"`);
  return true;
}

/** @throws RdbError RDB_DATA_FORMAT unless `version` is one that this program knows */
export function checkFormat(folder: DataFolder, version: string): void {
  const known = Number(version);
  if (!Number.isInteger(known) || known < FORMAT_OLDEST_VERSION || known > FORMAT_NEWEST_VERSION) {
    throw new RdbError(
      "RDB_DATA_FORMAT",
      `the data folder ${folder.path} has format ${version}, this program knows ${FORMAT_OLDEST_VERSION} to ${FORMAT_NEWEST_VERSION}; ` +
        "start it with the program that wrote it, or a newer one",
      { details: { path: folder.path, version } },
    );
  }
}

/** Makes what was created, renamed or removed in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle: FileHandle = await open(temporary, "w");
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

function folderError(folder: DataFolder, error: unknown): RdbError {
  if (error instanceof RdbError) {
    return error;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new RdbError("RDB_STORAGE_FAILED", `the data folder ${folder.path} cannot be prepared: ${reason}`, {
    details: { path: folder.path },
    cause: error,
  });
}

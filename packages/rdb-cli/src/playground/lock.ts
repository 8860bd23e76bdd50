import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { RdbError } from "@flaredb/rdb-base";
import { liveProcess, processMark, readIfThere } from "./process-mark.ts";

/** A data folder that this process holds. */
export interface FolderLock {
  /** Whether a lock of a process that is gone was found and replaced: its children may still be stopping. */
  readonly replacedStale: boolean;
  release(): Promise<void>;
}

const LOCK_FILE = "playground.lock";

/**
 * Takes the data folder for this process.
 *
 * @throws RdbError RDB_DATA_LOCKED when another live process holds it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK_FILE);
  const replacedStale = await removeStale(folder, path);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw heldBy(folder, "another process");
    }
    throw error;
  }
  await handle.writeFile(processMark(process.pid));
  await handle.close();
  return { replacedStale, release: () => rm(path, { force: true }) };
}

/**
 * Only looks.
 *
 * @throws RdbError RDB_DATA_LOCKED when another live process holds the folder
 */
export async function assertUnlocked(folder: string): Promise<void> {
  const holder = await liveProcess(join(folder, LOCK_FILE));
  if (holder !== undefined) {
    throw heldBy(folder, `process ${holder}`);
  }
}

async function removeStale(folder: string, path: string): Promise<boolean> {
  const existed = (await readIfThere(path)) !== undefined;
  await assertUnlocked(folder);
  await rm(path, { force: true });
  return existed;
}

function heldBy(folder: string, holder: string): RdbError {
  return new RdbError(
    "RDB_DATA_LOCKED",
    `the data folder ${folder} is in use by ${holder}: stop it first, or choose another folder with --data`,
    { details: { folder } },
  );
}

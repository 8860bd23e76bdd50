import { readFileSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { RdbError } from "@flaredb/rdb-base";

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
  await handle.writeFile(ownMark());
  await handle.close();
  return { replacedStale, release: () => rm(path, { force: true }) };
}

/**
 * Only looks.
 *
 * @throws RdbError RDB_DATA_LOCKED when another live process holds the folder
 */
export async function assertUnlocked(folder: string): Promise<void> {
  const holder = await liveHolder(join(folder, LOCK_FILE));
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

async function liveHolder(path: string): Promise<number | undefined> {
  const text = await readIfThere(path);
  const [pidText, startText] = (text ?? "").trim().split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) {
    return undefined;
  }
  // A process id is used again after a while; the start time tells whether this is the process that wrote it.
  return startTime(pid) === startText ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function ownMark(): string {
  return `${process.pid} ${startTime(process.pid)}\n`;
}

const START_TIME_FIELD = 19;

// The kernel's count of ticks at which the process started; "?" where there is no /proc.
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold spaces and parentheses: count from behind it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TIME_FIELD] ?? "?";
  } catch {
    // No /proc on this system: the process id alone has to do.
    return "?";
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

function heldBy(folder: string, holder: string): RdbError {
  return new RdbError(
    "RDB_DATA_LOCKED",
    `the data folder ${folder} is in use by ${holder}: stop it first, or choose another folder with --data`,
    { details: { folder } },
  );
}

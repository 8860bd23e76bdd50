import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

// A process id in a file says little: the number is used again after a while. With the time at which the process
// started it names one process for good.

/** What names this process, or another live one. */
export function processMark(pid: number): string {
  return `${pid} ${startTime(pid)}\n`;
}

/** Notes a process in a file. */
export function writeProcessMark(path: string, pid: number): void {
  writeFileSync(path, processMark(pid));
}

/** The process that a file names, if it lives. */
export async function liveProcess(path: string): Promise<number | undefined> {
  const text = await readIfThere(path);
  const [pidText, startText] = (text ?? "").trim().split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) {
    return undefined;
  }
  return startTime(pid) === startText ? pid : undefined;
}

/** A file's text; undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
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

/** Of the fields of /proc/PID/stat that follow the program's name. */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

/** Ended, and only waiting for a parent that never asks: as good as gone. */
const ZOMBIE = "Z";

// The kernel's count of ticks at which the process started; "?" where there is no /proc, "gone" for a zombie.
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold spaces and parentheses: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[STATE_FIELD] === ZOMBIE ? "gone" : (fields[START_TIME_FIELD] ?? "?");
  } catch {
    // No /proc on this system: the process id alone has to do.
    return "?";
  }
}

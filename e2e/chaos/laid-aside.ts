import { readFileSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { ManagedProcess } from "../managed-process.ts";
import { waitFor } from "../wait.ts";

const STOPPED_TIMEOUT_MS = 10_000;

/**
 * Takes from a process the room that its database has laid aside for its write-ahead log, some MiB: a disk that is full
 * would not be noticed before that is written. The process stands still meanwhile, since nothing of the log may be cut off.
 */
export async function takeLaidAside(process: ManagedProcess, dataFolder: string): Promise<void> {
  const { pid } = process;
  if (pid === undefined) {
    return;
  }
  process.freeze();
  try {
    await waitFor(`${process.plan.name} to stand still`, STOPPED_TIMEOUT_MS, () => standsStill(pid));
    const folder = join(dataFolder, "db");
    for (const name of readdirSync(folder).filter((each) => each.endsWith(".log"))) {
      const path = join(folder, name);
      truncateSync(path, statSync(path).size);
    }
  } finally {
    process.thaw();
  }
}

/** All threads of it: the one that writes is not the first one. */
function standsStill(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).every((thread) => {
    // The name in parentheses may hold anything.
    const [, state] = /\) (\S)/.exec(readFileSync(join(folder, thread, "stat"), "utf8")) ?? [];
    return state === "T";
  });
}

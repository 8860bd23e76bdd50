import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { RdbError } from "@flaredb/rdb-base";
import type { Io } from "../io.ts";

/** Older lines are forgotten. */
export const HISTORY_MAX_COUNT = 1_000;

/** Where the lines are kept that were typed: RDB_HISTORY, or in the folder for such things of XDG. */
export function historyPath(env: Io["env"]): string {
  const state = env["XDG_STATE_HOME"] || join(homedir(), ".local", "state");
  return env["RDB_HISTORY"] || join(state, "flaredb", "history");
}

/** The lines, the newest first; none when there is no such file yet. */
export function readHistory(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean).reverse().slice(0, HISTORY_MAX_COUNT);
  } catch {
    // Not there, or not ours to read: what is typed now is all there is.
    return [];
  }
}

/**
 * Keeps the lines, for nobody else to read: values may be among them.
 *
 * @param lines the newest first
 * @returns why they are not kept; undefined: they are
 */
export function writeHistory(path: string, lines: readonly string[]): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const text = [...lines].slice(0, HISTORY_MAX_COUNT).reverse().join("\n");
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    // The mode above is for a new file; this one may have been made by somebody else.
    chmodSync(path, 0o600);
    return undefined;
  } catch (error) {
    return RdbError.from(error).message;
  }
}

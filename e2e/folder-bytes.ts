import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of all files in a folder and below, without those called `except`. Files that vanish meanwhile count for nothing. */
export function folderBytes(folder: string, except?: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    const path = join(entry.parentPath, entry.name);
    const isCounted = entry.isFile() && entry.name !== except;
    return sum + (isCounted ? (statSync(path, { throwIfNoEntry: false })?.size ?? 0) : 0);
  }, 0);
}

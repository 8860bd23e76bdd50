import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RdbClient } from "@flaredb/rdb-client";

/**
 * The old side: the newest commit whose programs say nothing of cluster versions. It stays this one, whatever comes
 * later.
 */
export const OLD_COMMIT = "32ee1b809d897ae5b019274f570763b959799207";

/** Data folders of a PD and three Stores of that commit, with what `oldRows` says; written by e2e/make-upgrade-data.ts. */
export const OLD_DATA_FILE: string = fileURLToPath(new URL("./data-32ee1b8.tar.gz", import.meta.url));

export const STORE_COUNT = 3;
/** Keys at which the Regions begin. */
export const INITIAL_REGIONS = "h,p";

const ROW_COUNT = 300;
const PREFIXES = ["a-", "k-", "x-"] as const;
const runFile = promisify(execFile);

/** What the data folders hold: in each Region some rows, one in three written twice. */
function oldRows(): ReadonlyMap<string, string> {
  const rows = new Map<string, string>();
  for (let n = 0; n < ROW_COUNT; n++) {
    const key = `${PREFIXES[n % PREFIXES.length]}${String(n).padStart(4, "0")}`;
    rows.set(key, `${n % 9 === 0 ? "second" : "first"} ${digest(key)}`);
  }
  return rows;
}

/** Keys that were there and are deleted. */
function deletedKeys(): readonly string[] {
  return PREFIXES.map((prefix) => `${prefix}deleted`);
}

/** Writes all that through the SDK. */
export async function writeOldRows(client: RdbClient): Promise<void> {
  for (const key of deletedKeys()) {
    await client.put(key, "once");
    await client.delete(key);
  }
  for (const [key, value] of oldRows()) {
    if (value.startsWith("second")) {
      await client.put(key, `first ${digest(key)}`);
    }
    await client.put(key, value);
  }
}

/** What is missing or wrong of it, in words. */
export async function wrongOldRows(client: RdbClient): Promise<string[]> {
  const found = new Map<string, string>();
  for (const prefix of PREFIXES) {
    for await (const { key, value } of client.scan({ prefix })) {
      found.set(Buffer.from(key).toString(), Buffer.from(value).toString());
    }
  }
  const wrong = [...oldRows()].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
  return [...wrong, ...deletedKeys().filter((key) => found.has(key))];
}

/** Only what a start needs: RocksDB's own logs are left out. */
export async function packFolders(folder: string, names: readonly string[], file: string): Promise<void> {
  const leftOut = ["LOG", "LOG.old.*", "RESERVE", "reserve"].map((name) => `--exclude=${name}`);
  await runFile("tar", ["-czf", file, ...leftOut, "-C", folder, ...names]);
}

export async function unpackFolders(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await runFile("tar", ["-xzf", file, "-C", folder]);
}

function digest(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 24);
}

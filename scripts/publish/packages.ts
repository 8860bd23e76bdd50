import { join } from "node:path";
import { root } from "../source-files.ts";

/** What a program that uses the SDK installs: the SDK and what it depends on, the lowest first. */
export const sdkPackages = ["rdb-base", "rdb-proto", "rdb-wire", "rdb-client"] as const;

/** Which Node the SDK promises to run on: the newest of each line that is still cared for, beside our own. */
export const nodeVersions = ["20.20.2", "22.23.1"] as const;

export function packageFolder(name: string): string {
  return join(root, "packages", name);
}

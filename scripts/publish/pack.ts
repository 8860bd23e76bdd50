import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../source-files.ts";
import { packageFolder, sdkPackages } from "./packages.ts";
import { runProgram } from "./run-program.ts";

/** The same as in scripts/workspace.mjs: it writes what is published as `publishConfig` says. */
const PNPM = "pnpm@12.21.0";

/** Builds the SDK's packages and packs each into `folder`, as they would be published. */
export async function packSdk(folder: string): Promise<ReadonlyMap<string, string>> {
  await runProgram("npx", ["tsc", "-b", join("packages", "rdb-client")], { cwd: root });
  const tarballs = new Map<string, string>();
  for (const name of sdkPackages) {
    await runProgram("npx", ["-y", PNPM, "pack", "--pack-destination", folder], { cwd: packageFolder(name) });
    const file = (await readdir(folder)).find((entry) => entry.startsWith(`flaredb-${name}-`));
    if (file === undefined) {
      throw new Error(`packing ${name} left no file in ${folder}`);
    }
    tarballs.set(name, join(folder, file));
  }
  return tarballs;
}

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./source-files.ts";

/**
 * Compiles files that stand nowhere else, in a folder inside the repository, where packages are found.
 *
 * @param files their texts, by name
 * @returns the compiler's lines, which begin with a file's name; none when all is well
 */
export async function typeProblems(
  files: Readonly<Record<string, string>>,
  tsconfig: Readonly<Record<string, unknown>>,
): Promise<string[]> {
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "types-"));
  try {
    Object.entries(files).forEach(([name, text]) => writeFileSync(join(folder, name), text));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", folder], { cwd: folder });
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    if (stdout === undefined || stdout === "") {
      throw error;
    }
    return stdout.trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

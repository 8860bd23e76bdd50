/**
 * Runs the Raft core against data-driven files: `node scripts/conformance.ts DIR [--byte-exact]`. DIR holds the folders
 * interaction, quorum and confchange, or some of them, at any depth. Each file that differs is shown with its
 * differences; the last line is `N passed, N failed`. Exit code 1 when any failed, 2 when DIR cannot be used.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import {
  fileKind,
  runFile,
  UnreadableFileError,
  type FileReport,
} from "../packages/rdb-raft/src/conformance/index.ts";

const USAGE = "usage: node scripts/conformance.ts DIR [--byte-exact]";

process.exitCode = main();

function main(): number {
  const { values, positionals } = parseArgs({
    options: { "byte-exact": { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [root] = positionals;
  if (root === undefined || positionals.length > 1) {
    console.error(USAGE);
    return 2;
  }
  const files = findFiles(root);
  if (files.length === 0) {
    console.error(`no .txt files under ${root}; ${USAGE}`);
    return 2;
  }
  const failed = files.filter((file) => !passes(root, file, values["byte-exact"]));
  console.log(`${files.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

function findFiles(root: string): string[] {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    return [];
  }
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".txt") && !basename(name).startsWith("LICENSE"))
    .map((name) => join(root, name))
    .sort();
}

function passes(root: string, file: string, isByteExact: boolean): boolean {
  const { differences, blockCount } = run(file, isByteExact);
  if (differences.length === 0) {
    return true;
  }
  const name = relative(root, file);
  console.log(`--- ${name}: ${differences.length} of ${blockCount} blocks differ`);
  for (const { lineNumber, command, diff } of differences) {
    console.log(`${name}:${lineNumber}: ${command}\n${diff}\n`);
  }
  return false;
}

function run(file: string, isByteExact: boolean): FileReport {
  const text = readFileSync(file, "utf8");
  try {
    return runFile(fileKind(basename(dirname(file)), text), text, isByteExact ? "byte-exact" : "normalised");
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) {
      throw error;
    }
    const { lineNumber, message } = error;
    return { blockCount: 0, differences: [{ lineNumber, command: "cannot be read", diff: message }] };
  }
}

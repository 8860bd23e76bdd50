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

const USAGE = "usage: npm run conformance -- DIR [--byte-exact]";

process.exitCode = main();

function main(): number {
  const flags = readFlags();
  if (typeof flags === "string") {
    console.error(`${flags}; ${USAGE}`);
    return 2;
  }
  const { values, positionals } = flags;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
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

interface Flags {
  readonly values: { readonly "byte-exact": boolean; readonly help: boolean };
  readonly positionals: readonly string[];
}

/** @returns what is wrong with them, as text, if something is */
function readFlags(): Flags | string {
  try {
    return parseArgs({
      options: {
        "byte-exact": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    return (error as Error).message;
  }
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
  const name = relative(root, file);
  if (differences.length === 0) {
    if (blockCount === 0) {
      console.log(`--- ${name}: holds no command`);
    }
    return blockCount > 0;
  }
  console.log(
    blockCount === 0
      ? `--- ${name}: is no data-driven file`
      : `--- ${name}: ${differences.length} of ${blockCount} blocks differ`,
  );
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

import { execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** As in scripts/workspace.mjs: the one that wrote the lock files. */
const PNPM = "pnpm@12.21.0";
const INSTALL_TIMEOUT_MS = 180_000;

const runFile = promisify(execFile);

/**
 * The sources of an older commit of this repository, ready to run, in the folder. They get their own dependencies by
 * their own lock file: what this tree has too comes from pnpm's store, the rest from the registry.
 *
 * @throws Error when the clone does not have the commit: a test of upgrades that passes without the old side proves
 * nothing
 */
export async function makeOldTree(commit: string, folder: string): Promise<void> {
  await checkCommit(commit);
  await mkdir(folder, { recursive: true });
  const archive = `${folder}.tar`;
  const git = spawn("git", ["archive", commit], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  await pipeline(git.stdout, createWriteStream(archive));
  await runFile("tar", ["-xf", archive, "-C", folder]);
  const install = [
    "install",
    "--frozen-lockfile",
    "--prefer-offline",
    "--prod",
    "--filter",
    "@flaredb/rdb-cli...",
  ];
  await runFile("npx", ["-y", PNPM, ...install], {
    cwd: folder,
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, npm_config_loglevel: "error", npm_config_update_notifier: "false" },
  });
}

/** A program of a tree. */
export function programOf(tree: string, name: "rdb-pd" | "rdb-server"): string {
  return join(tree, "packages", name, "bin", `${name}.mjs`);
}

/** The tree that this file is of. */
export const NEW_TREE: string = ROOT;

async function checkCommit(commit: string): Promise<void> {
  const advice = `the upgrade test runs the programs of commit ${commit}`;
  if (!existsSync(join(ROOT, ".git"))) {
    throw new Error(`${advice}, and ${ROOT} is no git clone: run it in one`);
  }
  try {
    await runFile("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: ROOT });
  } catch {
    throw new Error(
      `${advice}, which this clone does not have: it is shallow, get the rest by \`git fetch --unshallow\``,
    );
  }
}

// What `npm start` and `npm test` share. Runs under the system's Node (20 or later) before anything is installed, so
// it imports nothing but Node itself.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The pnpm that wrote the lock file. It comes from npm, so nobody has to have it. */
const PNPM = "pnpm@12.21.0";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const binFolder = join(root, "node_modules", ".bin");

/** The Node that FlareDB runs on: a dev dependency, whatever the system has. */
export const node = join(binFolder, "node");

/** PATH with the workspace's programs first, among them its Node. */
export const environment = { ...process.env, PATH: `${binFolder}${delimiter}${process.env.PATH ?? ""}` };

// Written after each install that went through; holds the digest of the lock file that was installed.
const stampFile = join(root, "node_modules", ".flaredb-installed");

function lockDigest() {
  return createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .digest("hex");
}

/** Whether everything that the lock file names is there. Costs one read. */
export function isInstalled() {
  return existsSync(stampFile) && existsSync(node) && readFileSync(stampFile, "utf8") === lockDigest();
}

/** Installs what is missing; exits the process with pnpm's code when that fails. */
export async function install() {
  if (isInstalled()) {
    return;
  }
  const startedMs = Date.now();
  console.log("installing dependencies (once; Node 24 and pnpm come from npm) …");
  const code = await run("npx", ["-y", PNPM, "install", "--frozen-lockfile"], { env: quietNpm() });
  if (code !== 0) {
    console.error(
      `error: the install failed (exit ${code}): see above; \`npm start\` or \`npm test\` tries again`,
    );
    process.exit(code);
  }
  // Only speed and memory of the first start depend on it: what is wrong here, the start itself will say.
  await run(node, [join(root, "scripts", "warm-cache.mjs")], { stdio: "ignore" });
  writeFileSync(stampFile, lockDigest());
  console.log(`installed in ${seconds(startedMs)}\n`);
}

// npm hands its own settings to what it starts; those that a newer npm does not know make it warn at each start.
function quietNpm() {
  return { ...process.env, npm_config_loglevel: "error", npm_config_update_notifier: "false" };
}

/** Runs a program in the workspace with this terminal; resolves to its exit code. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: environment, ...options });
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal === null ? code : 128));
  });
}

/** Runs a program in the workspace; resolves to its exit code and all that it printed. */
export function capture(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: environment,
      ...options,
    });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 128, output: Buffer.concat(chunks).toString() }));
  });
}

/** The time since `startedMs`, as people read it. */
export function seconds(startedMs) {
  return `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
}

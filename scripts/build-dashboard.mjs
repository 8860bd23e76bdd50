// `npm run build:dashboard`: builds what the placement driver serves at /dashboard/, where a source is newer than what was
// built. `npm start` calls it too. Runs under Node 20, without dependencies.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { capture, install, root, seconds } from "./workspace.mjs";

const folder = join(root, "packages", "rdb-dashboard");
const sources = ["package.json", "vite.config.ts", join("src", "web")].map((path) => join(folder, path));
const built = join(folder, "dist", "web", "index.html");

/** Whether nothing changed since it was built. Costs some file times. */
function isBuilt() {
  return existsSync(built) && Math.max(...sources.map(newest)) <= statSync(built).mtimeMs;
}

/** When a file, or the newest one below a folder, was changed. */
function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) {
    return mtimeMs;
  }
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/**
 * Builds it unless that was done.
 *
 * @returns what vite said where that failed; PD then serves a page that tells how to build it
 */
export async function buildDashboard() {
  if (isBuilt()) {
    return undefined;
  }
  const startedMs = Date.now();
  const vite = join(folder, "node_modules", "vite", "bin", "vite.js");
  const { code, output } = await capture("node", [vite, "build"], { cwd: folder });
  if (code !== 0) {
    return output;
  }
  console.log(`built the dashboard in ${seconds(startedMs)}`);
  return undefined;
}

if (process.argv[1] === join(root, "scripts", "build-dashboard.mjs")) {
  await install();
  const failure = await buildDashboard();
  if (failure !== undefined) {
    console.error(`${failure}\nerror: the dashboard was not built: see above`);
    process.exitCode = 1;
  }
}

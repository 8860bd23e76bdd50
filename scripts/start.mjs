// `npm start`: installs what is missing, then runs the playground under the workspace's own Node. Runs under Node 20,
// without dependencies. Options after `--` are the playground's: npm start -- --tmp --initial-regions m
import { spawn } from "node:child_process";
import { join } from "node:path";
import { buildDashboard } from "./build-dashboard.mjs";
import { environment, install, node, root } from "./workspace.mjs";

const RDB = join(root, "packages", "rdb-cli", "bin", "rdb.mjs");

const options = process.argv.slice(2);
await install();
const failure = await buildDashboard();
if (failure !== undefined) {
  // Everything else works without it.
  console.error(`${failure}\nwarning: the dashboard was not built: see above`);
}

// Lies in the repository wherever npm was called.
const dataFolder = options.some((option) => /^--(data|tmp)\b/.test(option))
  ? []
  : ["--data", join(root, ".flaredb")];
const playground = spawn(node, [RDB, "playground", ...dataFolder, ...options], {
  // Where the user stands: npm changes to the repository's root first.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  // The channel closes when this process ends, in whichever way, and the playground then stops.
  stdio: ["inherit", "inherit", "inherit", "ipc"],
  env: environment,
});

// Passed on, and waited for. Ctrl-C reaches the playground through the terminal as well; it takes both for one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => playground.kill(signal));
}
playground.on("exit", (code) => process.exit(code ?? 1));

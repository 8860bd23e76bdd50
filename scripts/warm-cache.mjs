// Runs once after an install: a playground starts and stops, so that every module of it is stripped, compiled and in
// Node's compile cache. The first start is then as fast, and as small, as the later ones: a process that strips types
// itself keeps 30 MiB more. Nothing depends on it: what is wrong here, the first start will say.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { environment, node, root } from "./workspace.mjs";

/** Ports are drawn from here; the playground takes about thirty from its first. */
const PORTS = { first: 20_000, count: 10_000 };
const GIVE_UP_AFTER_MS = 20_000;

const basePort = PORTS.first + Math.floor(Math.random() * PORTS.count);
const rdb = join(root, "packages", "rdb-cli", "bin", "rdb.mjs");
const options = ["playground", "--tmp", "--stores", "1", "--base-port", String(basePort)];
const playground = spawn(node, [rdb, ...options], {
  cwd: root,
  env: environment,
  stdio: ["ignore", "pipe", "ignore", "ipc"],
});
const givenUp = setTimeout(() => playground.kill("SIGKILL"), GIVE_UP_AFTER_MS);
let printed = "";
playground.stdout.on("data", (chunk) => {
  printed += chunk;
  if (printed.includes("Ctrl-C")) {
    playground.kill("SIGINT");
  }
});
playground.on("exit", () => clearTimeout(givenUp));

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const RDB = fileURLToPath(new URL("../packages/rdb-cli/bin/rdb.mjs", import.meta.url));

/** What a run of `rdb` printed and exited with. */
export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `rdb` as a process of its own; stdin is empty unless given. */
export async function rdb(args: readonly string[], stdin: string | Uint8Array = ""): Promise<CliRun> {
  const child = spawn(process.execPath, [RDB, ...args]);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  return { exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

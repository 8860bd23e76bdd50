// `npm run bench:micro`: what the pieces of a put and a get cost, each by itself: codecs, the Raft step, the engine;
// then the loop of three Stores, one stream, and the SDK.
// usage: npm run bench:micro -- [--only WORD]
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./source-files.ts";

/** A program that prints its figures. */
interface MicroProgram {
  readonly name: string;
  readonly file: string;
  readonly nodeFlags?: readonly string[];
  readonly args: readonly string[];
}

const programs: readonly MicroProgram[] = [
  { name: "loop", file: "packages/rdb-server/bench/loop.ts", args: ["--seconds", "3"] },
  { name: "loop of gets", file: "packages/rdb-server/bench/loop.ts", args: ["--seconds", "3", "--gets"] },
  { name: "stream", file: "packages/rdb-wire/bench/batch-stream.ts", args: ["256", "2"] },
  { name: "SDK", file: "packages/rdb-client/bench/put-get.ts", args: ["256", "2"] },
];

const { values: flags } = parseArgs({ options: { only: { type: "string" } } });
const wanted = flags.only?.toLowerCase() ?? "";
const named = programs.filter(({ name }) => name.toLowerCase().includes(wanted));
if (wanted === "" || named.length === 0) {
  await run({
    name: "micro",
    file: "packages/rdb-server/bench/micro.ts",
    // What is allocated can be counted only between two collections.
    nodeFlags: ["--max-semi-space-size=64"],
    args: ["--only", wanted],
  });
}
for (const program of named) {
  process.stdout.write(`${program.name}: `);
  await run(program);
}

async function run({ name, file, nodeFlags = [], args }: MicroProgram): Promise<void> {
  const child = spawn(process.execPath, [...nodeFlags, join(root, file), ...args], { stdio: "inherit" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) {
    throw new Error(`${name} ended with exit code ${code}`);
  }
}

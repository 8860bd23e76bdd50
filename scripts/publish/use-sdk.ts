import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** Plain JavaScript, as somebody would write it who never saw this repository. */
const PROGRAM = `
import assert from "node:assert/strict";
import { RdbClient, RdbError, integerCodec, jsonCodec } from "@flaredb/rdb-client";

const db = await RdbClient.connect({ pd: process.argv[2] });
const keys = ["a", "z"].map((key) => process.version + "/" + key);
const { version } = await db.put(keys[0], "1");
assert.equal((await db.get(keys[0])).text(), "1");
assert.ok((await db.compareAndSwap(keys[0], { version }, "2")).succeeded);
await db.batchPut([{ key: keys[1], value: "3" }, { key: "a" + keys[1], value: "4" }]);
const rows = await db.scan({ prefix: process.version }).toArray();
assert.deepEqual(rows.map((row) => row.text()), ["2", "3"]);
const typed = db.namespace(process.version + "/typed/").typed({ key: integerCodec, value: jsonCodec() });
await typed.put(7, { cents: 500 });
assert.deepEqual((await typed.get(7)).value, { cents: 500 });
await assert.rejects(db.get(""), (error) => error instanceof RdbError && error.code === "RDB_INVALID_ARGUMENT");
db.close();
const testing = await import("@flaredb/rdb-client/testing");
await assert.rejects(testing.startTestCluster(), /npm install --save-dev @flaredb\\/rdb-testing/);
console.log("the SDK works on Node " + process.version);
`;

/** An empty project, with nothing but the packed packages and what they depend on. */
export async function installSdk(folder: string, tarballs: readonly string[]): Promise<string> {
  const project = join(folder, "project");
  await makeProject(project);
  await npmInstall(project, tarballs);
  await writeFile(join(project, "program.mjs"), PROGRAM);
  return project;
}

/** The program of a version of Node, from npm. */
export async function installedNode(folder: string, version: string): Promise<string> {
  const project = join(folder, `node-${version}`);
  await makeProject(project);
  await npmInstall(project, [`node@${version}`]);
  return join(project, "node_modules", "node", "bin", "node");
}

/** Uses the SDK against the cluster; what the program says at its end. */
export async function useSdk(node: string, project: string, pdAddress: string): Promise<string> {
  const printed = await runProgram(node, ["program.mjs", pdAddress], { cwd: project });
  return printed.trim();
}

async function makeProject(folder: string): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
}

async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--omit=peer"];
  await runProgram("npm", ["install", ...quiet, ...packages], { cwd: folder });
}

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import * as sdk from "./index.ts";
import * as testing from "./testing/index.ts";

const run = promisify(execFile);

/** Loads the SDK as a bundler for browsers resolves it, and prints what became of it. */
async function loadForBrowsers(code: string): Promise<string> {
  const program = `try { ${code} } catch (error) { console.log(error.code, error.message); }`;
  const args = ["--conditions=browser", "--input-type=module", "--eval", program];
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname });
  return stdout;
}

test("in a browser the SDK says why it does not run there, whatever is imported", async () => {
  const why = "RDB_CONFIG_INVALID @flaredb/rdb-client does not run in browsers: it speaks gRPC";
  expect(await loadForBrowsers('await import("@flaredb/rdb-client")')).toContain(why);
  expect(await loadForBrowsers('await import("@flaredb/rdb-client/testing")')).toContain(why);
});

test("what stands in for the SDK has its names: a page that imports one is told why, and not that it is missing", () => {
  const source = readFileSync(new URL("browser.ts", import.meta.url), "utf8");
  const names = [...source.matchAll(/^export (?:const (\w+)|\{ (\w+) \})/gm)].map(([, a, b]) => a ?? b);
  expect(names.sort()).toEqual([...Object.keys(sdk), ...Object.keys(testing)].sort());
});

import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { microCases } from "../packages/rdb-server/bench/micro/all-cases.ts";
import { measureCase } from "../packages/rdb-server/bench/micro/measure-case.ts";
import { root } from "./source-files.ts";

// That they run, so that they do not rot. How fast they are, no test can say on a machine that does other things too.

describe("microbenchmarks", () => {
  test.each(microCases)("$name", async (microCase) => {
    const { p50Ns, p99Ns } = await measureCase(microCase, { minMs: 1 });
    expect(p50Ns).toBeGreaterThan(0);
    expect(p99Ns).toBeGreaterThanOrEqual(p50Ns);
  });
});

describe("programs that print their figures", () => {
  test.each([
    ["packages/rdb-server/bench/micro.ts", ["--only", "raft append, encode", "--json"], /"p50Ns":\d/],
    ["packages/rdb-server/bench/loop.ts", ["--seconds", "0.1", "--in-flight", "8"], /\d\/s, p50 \d/],
    ["packages/rdb-wire/bench/batch-stream.ts", ["8", "0.1"], /\d puts\/s/],
    ["packages/rdb-client/bench/put-get.ts", ["8", "0.1"], /\d gets\/s/],
  ])("%s", async (file, args, figures) => {
    const child = spawn(process.execPath, [join(root, file), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const code = await new Promise((resolve) => {
      child.once("close", resolve);
    });
    expect(Buffer.concat(chunks).toString()).toMatch(figures);
    expect(code).toBe(0);
  });
});

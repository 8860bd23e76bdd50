import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type TestCluster, startTestCluster } from "../../packages/rdb-client/src/testing/index.ts";
import { runCaptured } from "../../packages/rdb-cli/src/testing/run-captured.ts";
import { root } from "../source-files.ts";
import { type CodeBlock, type DocumentedCommand, codeBlocks, commandsOf } from "./code-blocks.ts";
import { promisedLines, runBlocks } from "./run-program.ts";

// What users' documents show is what is: every block is run against a cluster, in the order of the document. A block of
// shell marked `not-run` takes minutes, or a cluster or machine of its own: what it calls has to exist.

const documents = [
  "docs/quickstart.md",
  "docs/operations.md",
  "docs/concepts.md",
  "docs/consistency.md",
  "docs/sdk.md",
  "docs/comparison.md",
  "examples/job-queue/README.md",
  "examples/rate-limiter/README.md",
  "examples/session-store/README.md",
];

/** What exits with 1 unless all is well at that moment. */
const judging = new Set(["cluster status", "region coverage"]);

const scripts = (
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> }
).scripts;

describe.each(documents)("%s", (path) => {
  const blocks = codeBlocks(path);
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startTestCluster({ stores: 3 });
  });
  afterAll(() => cluster.stop());

  test("has blocks of TypeScript and shell alone: others would not be run", () => {
    expect(
      blocks.filter(({ language, mark }) => !/^(ts|sh|sh not-run)$/.test(`${language} ${mark}`.trim())),
    ).toEqual([]);
  });

  test("its shell works, and prints what it says", async () => {
    for (const block of blocks.filter(({ language }) => language === "sh")) {
      for (const command of commandsOf(block)) {
        await (block.mark === "not-run" ? checkThere(command) : checkRuns(path, block, command));
      }
    }
  });

  test("SPEC-U2: its TypeScript runs as one program, and prints what it says", async () => {
    const program = blocks.filter(({ language }) => language === "ts");
    const printed = program.length === 0 ? [] : await runBlocks(path, program, cluster.pdAddress);
    expect(printed).toEqual(promisedLines(program));
  });

  async function checkRuns(
    file: string,
    block: CodeBlock,
    { words, output }: DocumentedCommand,
  ): Promise<void> {
    const [npx, rdb, ...args] = words;
    expect([npx, rdb], `${file}:${block.line}: ${words.join(" ")}`).toEqual(["npx", "rdb"]);
    const run = async (): Promise<void> => {
      const { exitCode, stdout, stderr } = await runCaptured(args, { env: { RDB_PD: cluster.pdAddress } });
      expect([exitCode, stderr], `${file}:${block.line}: ${words.join(" ")}`).toEqual([0, ""]);
      if (output !== undefined) {
        expect(stdout.trim(), `${file}:${block.line}: ${words.join(" ")}`).toBe(output);
      }
    };
    // A cluster on a busy machine may be electing just now, and says so.
    await (judging.has(args.join(" ")) ? vi.waitFor(run, { timeout: 15_000, interval: 200 }) : run());
  }

  /** An npm script of the repository, a file of it, or one of its commands. */
  async function checkThere({ words }: DocumentedCommand): Promise<void> {
    const [program = "", first = "", ...rest] = words;
    if (program === "npm") {
      const script = first === "run" ? (rest.find((word) => !word.startsWith("-")) ?? "") : first;
      expect(["install", ...Object.keys(scripts)]).toContain(script);
    } else if (program === "npx" && first === "rdb") {
      const name = rest.slice(0, rest.findIndex((word) => !/^[a-z-]+$/.test(word)) >>> 0);
      const { exitCode } = await runCaptured([...name.slice(0, 2), "--help"]);
      expect(exitCode, `${words.join(" ")}`).toBe(0);
    } else {
      expect([program, existsSync(join(root, program))]).toEqual([program, true]);
    }
  }
});

test("docs/comparison.md has its figures from docs/benchmarks.md", () => {
  const figures = (text: string): string[] => text.match(/\d{1,3}(?:,\d{3})+|\d+\.\d+/g) ?? [];
  const measured = new Set(figures(readFileSync(join(root, "docs", "benchmarks.md"), "utf8")));
  const claimed = figures(readFileSync(join(root, "docs", "comparison.md"), "utf8"));
  expect(claimed.length).toBeGreaterThan(0);
  expect(claimed.filter((figure) => !measured.has(figure))).toEqual([]);
});

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { WireCluster } from "@flaredb/rdb-client/fakes";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Io } from "../io.ts";
import { run } from "../run.ts";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

let cluster: WireCluster;
let folder: string;

beforeAll(async () => {
  cluster = await WireCluster.start();
  folder = mkdtempSync(join(tmpdir(), "rdb-shell-"));
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

/** Somebody at a terminal: types, and waits for what is printed. */
class Typist {
  readonly #input = new PassThrough();
  readonly #output = new PassThrough();
  readonly ended: Promise<number>;
  #seen = "";

  constructor(args: readonly string[], env: Record<string, string>) {
    this.#output.on("data", (chunk: Buffer) => {
      this.#seen += stripVTControlCharacters(chunk.toString());
    });
    const io: Io = {
      ...{ stdin: this.#input, stdout: this.#output, stderr: this.#output, env },
      ...{ columns: 80, rows: 24, colors: false, progressColumns: undefined, onKey: undefined },
      onInterrupt: () => () => {},
    };
    this.ended = run(args, io);
  }

  type(keys: string): void {
    this.#input.write(keys);
  }

  /** What was printed since it last saw something, up to and with the text. */
  async sees(text: string): Promise<string> {
    await vi.waitUntil(() => this.#seen.includes(text), { timeout: 10_000, interval: 5 });
    const end = this.#seen.indexOf(text) + text.length;
    const seen = this.#seen.slice(0, end);
    this.#seen = this.#seen.slice(end);
    return seen;
  }
}

describe("SPEC-U1: shell", () => {
  test("takes a file of commands, and ends at the first that fails", async () => {
    const stdin = ["put a '1 2'", "", "# a comment", "rdb get a", "get b", "get a"].join("\n");
    const { stdout, stderr, exitCode } = await runCaptured(["shell", "--pd", cluster.pdAddress], { stdin });
    expect(stdout).toMatch(/1 2\n$/);
    expect(stdout.match(/1 2/g)).toHaveLength(1);
    expect([stderr, exitCode]).toEqual(['error: there is no key "b"\n', 1]);
  });

  test("hands --json on, and takes no line for a command's input", async () => {
    const args = ["shell", "--json", "--pd", cluster.pdAddress];
    const { stdout, stderr } = await runCaptured(args, { stdin: "put a 1\nget a\nput a -\n" });
    expect(JSON.parse(stdout.trimEnd().split("\n")[1] ?? "")).toMatchObject({ key: "a", value: "1" });
    expect(JSON.parse(stderr)).toMatchObject({
      error: { message: "stdin cannot be read from within the shell: give the value, or a file" },
    });
  });

  test("runs no shell in the shell, and says what a line lacks", async () => {
    for (const [line, message] of [
      ["shell", "shell cannot be run from within the shell"],
      ["pd --data-dir x", "pd cannot be run from within the shell"],
      ["put 'a", "the line has a ' that is not closed"],
    ] as const) {
      const { stderr, exitCode } = await runCaptured(["shell"], { stdin: line });
      expect(stderr).toContain(message);
      expect(exitCode).toBe(2);
    }
  });

  test("on a terminal goes on after a failure, and keeps its lines for the next time", async () => {
    const history = join(folder, "history");
    writeFileSync(history, "get old\n");
    const env = { RDB_HISTORY: history };
    const typist = new Typist(["shell", "--pd", cluster.pdAddress], env);
    await typist.sees("rdb> ");
    typist.type("get nothing\r");
    await typist.sees('there is no key "nothing"');
    await typist.sees("rdb> ");
    typist.type("put k 7\r");
    await typist.sees("rdb> ");
    typist.type(" put secret 1\r");
    await typist.sees("rdb> ");
    // Three lines up: what was typed in the session before.
    typist.type("\u001b[A\u001b[A\u001b[A\r");
    await typist.sees('there is no key "old"');
    await typist.sees("rdb> ");
    typist.type("exit\r");
    expect(await typist.ended).toBe(0);
    expect(readFileSync(history, "utf8").split("\n")).toEqual([
      ...["get nothing", "put k 7", "get old", "exit"],
      "",
    ]);
    expect(statSync(history).mode & 0o077).toBe(0);
  });

  test("completes commands and ids, and drops a line with Ctrl-C", async () => {
    const pd = await startFakePd({
      listStores: () => ({ statuses: [{ store: { id: 421n, address: "h:1" } }] }),
    });
    const typist = new Typist(["shell", "--pd", pd.address], { RDB_HISTORY: join(folder, "other") });
    await typist.sees("rdb> ");
    typist.type("stor\t");
    await typist.sees("store ");
    typist.type("lis\t");
    await typist.sees("list ");
    typist.type("\r");
    await typist.sees("h:1");
    await typist.sees("rdb> ");
    typist.type("decommission everything\u0003");
    await typist.sees("^C");
    await typist.sees("rdb> ");
    typist.type("store label 4\t");
    await typist.sees("421 ");
    typist.type("\u0003");
    await typist.sees("rdb> ");
    typist.type("\u0004");
    expect(await typist.ended).toBe(0);
    await pd.stop();
  });
});

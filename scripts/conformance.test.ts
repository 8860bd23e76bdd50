import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "./source-files.ts";

interface Outcome {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly errors: string;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaredb-conformance-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): Outcome {
  try {
    const output = execFileSync(process.execPath, ["scripts/conformance.ts", ...args], {
      cwd: root,
      encoding: "utf8",
      stdio: "pipe",
    });
    return { exitCode: 0, lines: output.trimEnd().split("\n"), errors: "" };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { exitCode: status, lines: stdout.trimEnd().split("\n"), errors: stderr };
  }
}

function write(name: string, text: string): void {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), text);
}

describe("the conformance runner", () => {
  test("runs every file under a folder, at any depth, and says how many passed", () => {
    const testdata = join(root, "packages/rdb-raft/testdata");
    cpSync(join(testdata, "quorum"), join(folder, "a/b/quorum"), { recursive: true });
    cpSync(join(testdata, "confchange"), join(folder, "confchange"), { recursive: true });
    cpSync(join(testdata, "LICENSE.etcd-raft.txt"), join(folder, "LICENSE.etcd-raft.txt"));
    const expected = { exitCode: 0, lines: ["10 passed, 0 failed"] };
    expect(run(folder)).toMatchObject(expected);
    expect(run(`${folder}/`)).toMatchObject(expected);
    expect(run(`${relative(root, folder)}/`)).toMatchObject(expected);
  });

  test("knows a file by its first command where its folder does not say what it is", () => {
    write("one.txt", "committed cfg=(1) idx=(3)\n----\n     idx\n>      3    (id=1)\n3\n");
    write("two.txt", "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n");
    write("three.txt", "raft-state\n----\nok\n");
    expect(run(folder)).toMatchObject({ exitCode: 0, lines: ["3 passed, 0 failed"] });
  });

  test("shows what differs, where, and fails", () => {
    write("quorum/good.txt", "vote cfg=(1) votes=(y)\n----\nVoteWon\n");
    write(
      "quorum/bad.txt",
      "# why\nvote cfg=(1) votes=(y)\n----\nVoteLost\n\nvote cfg=(1) votes=(n)\n----\nVoteLost\n",
    );
    expect(run(folder)).toMatchObject({
      exitCode: 1,
      lines: [
        "--- quorum/bad.txt: 1 of 2 blocks differ",
        "quorum/bad.txt:2: vote cfg=(1) votes=(y)",
        "- VoteLost",
        "+ VoteWon",
        "",
        "1 passed, 1 failed",
      ],
    });
  });

  test("names file and line of a command that it does not know, and of a file that it cannot read", () => {
    write("interaction/command.txt", "raft-state\n----\nok\n\nresign 1\n----\nok\n");
    write("interaction/cut.txt", "raft-state\n----\nok\n\nraft-state\n");
    const { exitCode, lines } = run(folder);
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toBe("0 passed, 2 failed");
    expect(lines).toContain("interaction/command.txt:5: resign 1");
    expect(lines.join("\n")).toContain("ended with unknown command resign");
    expect(lines).toContain("interaction/cut.txt:5: cannot be read");
    expect(lines).toContain("no line ---- follows: raft-state");
  });

  test("fails a file without a command: nothing was compared", () => {
    write("quorum/empty.txt", "# to be written\n");
    expect(run(folder)).toMatchObject({
      exitCode: 1,
      lines: ["--- quorum/empty.txt: holds no command", "0 passed, 1 failed"],
    });
  });

  test("compares log lines only when it is told to", () => {
    write("interaction/log.txt", "add-nodes 1\n----\nok\n");
    expect(run(folder)).toMatchObject({ exitCode: 0, lines: ["1 passed, 0 failed"] });
    const { exitCode, lines } = run(folder, "--byte-exact");
    expect(exitCode).toBe(1);
    expect(lines).toContain("- ok");
    expect(lines).toContain("+ INFO 1 became follower at term 0");
  });

  test("refuses a folder without files, one that is not there, and no folder at all", () => {
    expect(run(folder)).toMatchObject({
      exitCode: 2,
      errors: expect.stringContaining("no .txt files under"),
    });
    expect(run(join(folder, "nowhere"))).toMatchObject({
      exitCode: 2,
      errors: expect.stringContaining("no .txt files under"),
    });
    expect(run()).toMatchObject({ exitCode: 2, errors: expect.stringContaining("usage:") });
    expect(run(folder, folder)).toMatchObject({ exitCode: 2, errors: expect.stringContaining("usage:") });
    expect(run("--exact")).toMatchObject({ exitCode: 2, errors: expect.stringContaining("'--exact'") });
  });
});

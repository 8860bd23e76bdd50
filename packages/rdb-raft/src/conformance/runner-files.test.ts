import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseBlocks } from "./datadriven.ts";
import { UnreadableFileError } from "./script-error.ts";
import { runFile, type FileKind } from "./run-file.ts";

// The runner runs any file of the format, not only those that are here: testdata/runner uses every command and option.

const testdata = fileURLToPath(new URL("../../testdata/runner", import.meta.url));

const FORMAT: Record<FileKind, Record<string, readonly string[]>> = {
  interaction: {
    "add-nodes": [
      "voters",
      "learners",
      "index",
      "content",
      "inflight",
      "async-storage-writes",
      "prevote",
      "checkquorum",
      "max-committed-size-per-ready",
      "disable-conf-change-validation",
      "read-only",
      "step-down-on-removal",
    ],
    campaign: [],
    propose: [],
    "forget-leader": [],
    "transfer-leadership": ["from", "to"],
    "report-unreachable": [],
    "propose-conf-change": ["v1", "transition"],
    "tick-heartbeat": [],
    "tick-election": [],
    "set-randomized-election-timeout": ["timeout"],
    "process-ready": [],
    "process-append-thread": [],
    "process-apply-thread": [],
    "deliver-msgs": ["type", "drop"],
    stabilize: ["log-level"],
    "raft-log": [],
    compact: [],
    "send-snapshot": [],
    "raft-state": [],
    status: [],
    "log-level": [],
  },
  quorum: { committed: ["cfg", "cfgj", "idx"], vote: ["cfg", "cfgj", "votes"] },
  confchange: { simple: [], "enter-joint": ["autoleave"], "leave-joint": [] },
};

function usesOf(kind: FileKind): Set<string> {
  const names = readdirSync(testdata, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(".txt") && dirname(name) === kind);
  const blocks = files.flatMap((name) => parseBlocks(readFileSync(join(testdata, name), "utf8")));
  return new Set(
    blocks.flatMap(({ command, args }) => [command, ...args.map(({ key }) => `${command} ${key}`)]),
  );
}

describe.each(Object.keys(FORMAT) as FileKind[])("the runner's %s files", (kind) => {
  const uses = usesOf(kind);

  test.each(Object.entries(FORMAT[kind]))("use %s with each of its options: %o", (command, options) => {
    const missing = [command, ...options.map((option) => `${command} ${option}`)].filter(
      (use) => !uses.has(use),
    );
    expect(missing).toEqual([]);
  });
});

/** What the runner says of a file with one block, in which `command` fails. */
function failureOf(kind: FileKind, command: string, setup = ""): string {
  const text = `${setup}${command}\n----\nok\n`;
  return runFile(kind, text, "normalised")
    .differences.map(({ lineNumber, diff }) => `${lineNumber}: ${diff}`)
    .join("\n");
}

describe("a mistake in a script", () => {
  const oneNode = "add-nodes 1\n----\nok\n\n";

  test.each<[FileKind, string, string]>([
    ["interaction", "resign 1", "unknown command resign; known are add-nodes, campaign,"],
    ["quorum", "elect cfg=(1)", "unknown command elect; known are committed, vote"],
    ["confchange", "double", "unknown command double; known are simple, enter-joint, leave-joint"],
    ["interaction", "add-nodes 1 voter=(1)", "add-nodes: unknown option voter; known are voters,"],
    ["interaction", "campaign 1 now=true", "campaign: unknown option now; it has none"],
    ["confchange", "simple autoleave=true", "simple: unknown option autoleave; it has none"],
    ["quorum", "vote cfg=(1) idx=(1)", "vote: unknown option idx; known are cfg, cfgj, votes"],
    ["interaction", "deliver-msgs 1 type=MsgNews", "deliver-msgs: unknown message type MsgNews"],
    ["interaction", "deliver-msgs 1 drop=(1)", "can't both deliver and drop messages to 1"],
    ["interaction", "campaign 7", "no peer 7: 0 were added"],
    ["interaction", "campaign", "campaign: argument 1 must be a bare word"],
    ["interaction", "tick-election one", "tick-election: one must be an integer >= 0"],
    ["interaction", "add-nodes 1 prevote=maybe", "add-nodes prevote: maybe must be true or false"],
    ["interaction", "status 1\nv1", "status takes no input, such as v1"],
    ["quorum", "vote cfg=(1,2) votes=(y)", "vote: 1 answers for 2 voters"],
  ])("of a %s file is told in one line: %s", (kind, command, message) => {
    const failure = failureOf(kind, command);
    expect(failure).toContain(`1: ended with ${message}`);
    expect(failure).not.toContain("\n");
  });

  test("is told with the line of its command, and ends the file", () => {
    const failure = failureOf("interaction", "resign 1\n----\nok\n\nresign 2", oneNode);
    expect(failure).toMatch(/^5: ended with unknown command resign;/);
    expect(failure).not.toContain("\n");
  });

  test("without a line that says where the output begins is found before anything runs", () => {
    expect(() => parseBlocks("raft-state\n----\nok\n\nstatus 1\n")).toThrow(
      new UnreadableFileError(5, "no line ---- follows: status 1"),
    );
  });
});

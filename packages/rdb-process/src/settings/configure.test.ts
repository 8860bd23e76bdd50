import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { checkInput } from "./check.ts";
import { type Configured, configure } from "./configure.ts";
import { ProgramSettings } from "./program-settings.ts";
import { about } from "./setting.ts";

const schema = z.strictObject({
  port: z
    .int()
    .max(65_535)
    .default(7)
    .meta(about("Where.", { unit: "port" })),
  isQuick: z.boolean().default(false).meta(about("How.")),
  secret: z
    .string()
    .min(3)
    .optional()
    .meta(about("Nobody sees it.", { isSecret: true })),
  labels: z.record(z.string(), z.string()).default({}).meta(about("Names.")),
  keys: z.array(z.string()).optional().meta(about("One way.")),
  ranges: z
    .array(z.strictObject({ from: z.string() }))
    .optional()
    .meta(about("The other way.")),
  raft: z
    .strictObject({
      maxSizeBytes: z.int().default(1_024).meta(about("How much.")),
      pauseMs: z.int().default(1_500).meta(about("How long.")),
      part: z
        .number()
        .default(0.5)
        .meta(about("How far.", { unit: "part" })),
    })
    .prefault({})
    .meta(about("Inner ones.", { change: "SIGHUP" })),
});

const settings = new ProgramSettings({
  program: "thing",
  prefix: "FLAREDB_THING_",
  schema,
  flags: [
    { name: "port", setting: "port" },
    { name: "quick", setting: "isQuick" },
    { name: "label", setting: "labels" },
    { name: "keys", setting: "keys" },
    { name: "secret", setting: "secret" },
  ],
  alternatives: [["keys", "ranges"]],
});

type Config = z.output<typeof schema>;

const program = {
  settings,
  usage: "Usage: thing",
  parse: (input: unknown, origins?: Parameters<typeof checkInput>[3]): Config =>
    checkInput(schema, settings, input, origins),
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(fields: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof fields === "string" ? fields : JSON.stringify(fields));
  return path;
}

type Environment = Readonly<Record<string, string | undefined>>;

function run(argv: readonly string[], environment: Environment = {}, columns?: number): Configured<Config> {
  return configure(program, { argv, environment, columns });
}

function start(argv: readonly string[], environment: Environment = {}): Config {
  const configured = run(argv, environment);
  if (configured.kind === "end") {
    throw new Error(configured.stdout);
  }
  return configured.config;
}

function end(argv: readonly string[], environment: Environment = {}, columns?: number) {
  const configured = run(argv, environment, columns);
  if (configured.kind === "start") {
    throw new Error("it would start");
  }
  return configured;
}

describe("who goes before whom", () => {
  test("a flag before a variable before the file before the default", () => {
    const path = file({ port: 1, isQuick: true, raft: { pauseMs: 10, maxSizeBytes: 20 } });
    const environment = { FLAREDB_THING_PORT: "2", FLAREDB_THING_RAFT_PAUSE_MS: "3s" };
    expect(start(["--config", path, "--port", "3"], environment)).toEqual({
      port: 3,
      isQuick: true,
      labels: {},
      raft: { pauseMs: 3_000, maxSizeBytes: 20, part: 0.5 },
    });
  });

  test("the variable names the file where no flag does", () => {
    const environment = { FLAREDB_THING_CONFIG: file({ port: 4 }) };
    expect(start([], environment).port).toBe(4);
    expect(() => start(["--config", "/nowhere/x"], environment)).toThrow(
      "config file /nowhere/x cannot be read",
    );
  });

  test("an empty variable is not set", () => {
    expect(start([], { FLAREDB_THING_PORT: "", FLAREDB_THING_CONFIG: "" }).port).toBe(7);
  });

  test("who says a thing in one way takes back what was said before in another", () => {
    const path = file({ ranges: [{ from: "a" }] });
    expect(start(["--config", path], { FLAREDB_THING_KEYS: "b,c" })).toMatchObject({ keys: ["b", "c"] });
    expect(start(["--config", path], { FLAREDB_THING_KEYS: "b" })).not.toHaveProperty("ranges");
    expect(start(["--keys", "k"], { FLAREDB_THING_RANGES: '[{"from":"x"}]' })).not.toHaveProperty("ranges");
  });
});

describe("values as text", () => {
  test.each([
    ["FLAREDB_THING_RAFT_MAX_SIZE_BYTES", "64MiB", { raft: { maxSizeBytes: 64 * 1024 * 1024 } }],
    ["FLAREDB_THING_RAFT_MAX_SIZE_BYTES", "65", { raft: { maxSizeBytes: 65 } }],
    ["FLAREDB_THING_RAFT_PAUSE_MS", "2m", { raft: { pauseMs: 120_000 } }],
    ["FLAREDB_THING_RAFT_PAUSE_MS", "20ms", { raft: { pauseMs: 20 } }],
    ["FLAREDB_THING_RAFT_PART", "0.25", { raft: { part: 0.25 } }],
    ["FLAREDB_THING_IS_QUICK", "1", { isQuick: true }],
    ["FLAREDB_THING_IS_QUICK", "false", { isQuick: false }],
    ["FLAREDB_THING_LABELS", "a=1,b=x=y", { labels: { a: "1", b: "x=y" } }],
    ["FLAREDB_THING_LABELS", " a=1, b = 2 ", { labels: { a: "1", b: "2" } }],
    ["FLAREDB_THING_KEYS", "a, b ,c", { keys: ["a", "b", "c"] }],
    ["FLAREDB_THING_RANGES", '[{"from":"x"}]', { ranges: [{ from: "x" }] }],
  ])("%s=%s", (variable, text, fields) => {
    expect(start([], { [variable]: text })).toMatchObject(fields);
  });

  test.each([
    ["FLAREDB_THING_PORT", "1KiB", 'FLAREDB_THING_PORT "1KiB" must be an integer'],
    ["FLAREDB_THING_PORT", "0x10", "must be an integer"],
    ["FLAREDB_THING_RAFT_MAX_SIZE_BYTES", "1MB", "must be an integer, or one with KiB, MiB or GiB"],
    ["FLAREDB_THING_RAFT_PAUSE_MS", "1MiB", "must be an integer, or one with ms, s, m or h"],
    ["FLAREDB_THING_RAFT_PART", "half", "must be a number"],
    ["FLAREDB_THING_IS_QUICK", "yes", 'FLAREDB_THING_IS_QUICK "yes" must be true or false'],
    ["FLAREDB_THING_LABELS", "a", "must be NAME=VALUE"],
    ["FLAREDB_THING_LABELS", "a=1, a=2", "gives a twice"],
    ["FLAREDB_THING_LABELS", "a= ,b=1", "must be NAME=VALUE"],
    ["FLAREDB_THING_RANGES", "x", "must be JSON"],
    ["FLAREDB_THING_PORT", "70000", "port 70000 must be <= 65535 (FLAREDB_THING_PORT)"],
  ])("%s=%s is refused", (variable, text, message) => {
    expect(() => start([], { [variable]: text })).toThrow(message);
  });

  test("a file may begin with a byte order mark", () => {
    expect(start(["--config", file('\uFEFF{"port":3}')]).port).toBe(3);
  });

  test("a file takes units in quotes", () => {
    const path = file({ raft: { pauseMs: "2s", maxSizeBytes: "3KiB" } });
    expect(start(["--config", path]).raft).toMatchObject({ pauseMs: 2_000, maxSizeBytes: 3_072 });
    expect(() => start(["--config", file({ raft: { maxSizeBytes: "32MB" } })])).toThrow(
      `raft.maxSizeBytes "32MB" must be an integer, or one with KiB, MiB or GiB (${path})`,
    );
    expect(() => start(["--config", file({ port: "7" })])).toThrow(
      `port "7" must be of type number (${path})`,
    );
  });
});

describe("a flag that is given again", () => {
  test("adds to a list, and to a map", () => {
    expect(start(["--keys", "a,b", "--keys", "c", "--label", "x=1, y=2", "--label", "z=3"])).toMatchObject({
      keys: ["a", "b", "c"],
      labels: { x: "1", y: "2", z: "3" },
    });
  });

  test.each([
    ["--port", ["--port", "1", "--port", "2"]],
    ["--port", ["--port", "1", "--port=1"]],
    ["--quick", ["--quick", "--quick"]],
    ["--config", ["--config", "a", "--config", "b"]],
    ["--help", ["-h", "--help"]],
  ])("is refused where it has one value: %s", (flag, argv) => {
    expect(() => run(argv)).toThrow(`${flag} is given twice: give it once; see thing --help`);
  });
});

describe("a slip", () => {
  test.each([
    ["FLAREDB_THING_PROT", "is no known environment variable: did you mean FLAREDB_THING_PORT?"],
    ["FLAREDB_THNIG_PORT", "did you mean FLAREDB_THING_PORT?"],
    ["FLAREDB_THING_RAFT_PAUSE", "is no known environment variable: unset it, or see --print-config"],
  ])("in the name of %s does not pass", (variable, message) => {
    expect(() => start([], { [variable]: "1" })).toThrow(message);
  });

  test("that sets a prototype does not pass", () => {
    for (const text of ['{"__proto__":{"port":1}}', '{"raft":{"__proto__":{"pauseMs":1}}}']) {
      expect(() => start(["--config", file(text)])).toThrow("__proto__ is no known field");
    }
    expect(() => start(["--label", "__proto__=a"])).toThrow("must be NAME=VALUE");
  });

  test("in the name of a field does not pass", () => {
    expect(() => start(["--config", file({ prot: 1 })])).toThrow(
      "prot is no known field: did you mean port?",
    );
    expect(() => start(["--config", file({ raft: { pause: 1 } })])).toThrow("raft.pause is no known field");
  });

  test("is none where the variable is somebody else's", () => {
    const environment = {
      FLAREDB_OTHER_DATA: "1",
      PORT: "1",
      FLAREDB_THING_SERVICE_HOST: "10.0.0.1",
      FLAREDB_THING_SERVICE_PORT: "7400",
      FLAREDB_THING_SERVICE_PORT_RPC: "7400",
      FLAREDB_THING_PORT: "tcp://10.0.0.1:7400",
      FLAREDB_THING_PORT_7400_TCP: "tcp://10.0.0.1:7400",
      FLAREDB_THING_PORT_7400_TCP_ADDR: "10.0.0.1",
    };
    expect(start([], environment).port).toBe(7);
  });
});

describe("--check-config", () => {
  test("says that all is well", () => {
    expect(end(["--check-config", "--port", "1"])).toEqual({
      kind: "end",
      stdout: "thing: the configuration is right\n",
      stderr: "",
      exitCode: 0,
    });
  });

  test("names every problem, of form and of content, on a line of its own", () => {
    const path = file({ raft: { pauseMs: "soon" }, x: 1 });
    const environment = { FLAREDB_THING_IS_QUICK: "maybe", FLAREDB_THING_SECRET: "ab" };
    const { exitCode, stdout, stderr } = end(
      ["--check-config", "--config", path, "--port", "70000"],
      environment,
    );
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr.trimEnd().split("\n").toSorted()).toEqual(
      [
        "thing: the configuration is wrong:",
        '  FLAREDB_THING_IS_QUICK "maybe" must be true or false',
        "  port 70000 must be <= 65535 (--port)",
        `  raft.pauseMs "soon" must be an integer, or one with ms, s, m or h (${path})`,
        "  secret (hidden) must have a length >= 3 (FLAREDB_THING_SECRET)",
        "  x is no known field",
      ].toSorted(),
    );
  });
});

describe("--print-config", () => {
  test("shows values, units, defaults and who gave them", () => {
    const path = file({ raft: { pauseMs: 60_000 } });
    const environment = { FLAREDB_THING_SECRET: "abcd", FLAREDB_THING_LABELS: "a=1,b=2" };
    const { stdout, exitCode } = end(["--print-config", "--config", path, "--port", "1"], environment);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      [
        "SETTING            VALUE     UNIT   DEFAULT  SOURCE",
        "port               1         port   7        flag",
        "isQuick            false                     default",
        "secret             (hidden)         -        environment",
        "labels             a=1,b=2                   environment",
        "keys               -                         default",
        "ranges             -                         default",
        "raft.maxSizeBytes  1KiB      bytes           default",
        "raft.pauseMs       1m        ms     1500     file",
        "raft.part          0.5       part            default",
        "",
      ].join("\n"),
    );
  });

  test("fits a narrow terminal", () => {
    const { stdout } = end(["--print-config", "--label", `a=${"x".repeat(100)}`], {}, 60);
    expect(stdout.split("\n").filter((line) => line.length > 60)).toEqual([]);
    expect(stdout).toContain("…");
  });

  test("is JSON for programs, without what is secret", () => {
    const { stdout } = end(["--print-config", "--json"], { FLAREDB_THING_SECRET: "abcd" });
    expect(stdout).not.toContain("abcd");
    const documents: unknown[] = JSON.parse(stdout);
    expect(documents).toHaveLength(settings.all.length);
    expect(documents.at(-2)).toEqual({
      name: "raft.pauseMs",
      value: 1_500,
      unit: "ms",
      default: 1_500,
      source: "default",
      origin: null,
      variable: "FLAREDB_THING_RAFT_PAUSE_MS",
      flag: null,
      change: "SIGHUP",
      description: "How long.",
    });
  });

  test("shows a wrong configuration too, and what is wrong with it", () => {
    const { stdout, stderr, exitCode } = end(["--print-config", "--port", "70000"]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain("70000");
    expect(stderr).toContain("port 70000 must be <= 65535 (--port)");
  });
});

test("--json alone is refused, --help is the usage", () => {
  expect(() => run(["--json"])).toThrow("--json goes with --print-config only");
  expect(end(["--help"]).stdout).toBe("Usage: thing\n");
});

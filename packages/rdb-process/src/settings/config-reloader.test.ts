import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogFields, Logger } from "@flaredb/rdb-base";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { checkInput } from "./check.ts";
import { ConfigReloader } from "./config-reloader.ts";
import { configure } from "./configure.ts";
import type { Origins } from "./issue.ts";
import { ProgramSettings } from "./program-settings.ts";
import { about } from "./setting.ts";

const fields = z.strictObject({
  port: z
    .int()
    .default(7)
    .meta(about("Where.", { unit: "port" })),
  limit: z
    .int()
    .min(1)
    .default(10)
    .meta(about("How much.", { unit: "parts", change: "SIGHUP" })),
  most: z
    .int()
    .default(100)
    .meta(about("How much at most.", { unit: "parts" })),
  begin: z
    .int()
    .optional()
    .meta(about("How it began.", { unit: "parts", change: "first start" })),
  logLevel: z
    .enum(["info", "warn", "error"])
    .optional()
    .meta(about("How loud.", { change: "SIGHUP" })),
});
const schema = fields.refine(({ limit, most }) => limit <= most, {
  path: ["limit"],
  error: "must be <= most",
});
const settings = new ProgramSettings({
  program: "thing",
  prefix: "FLAREDB_THING_",
  schema: fields,
  flags: [],
});
const program = {
  settings,
  usage: "",
  parse: (input: unknown, origins: Origins) => checkInput(schema, settings, input, origins),
};

let folder: string;
let path: string;
let lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
let applied: z.output<typeof schema>[];

const note =
  (level: string) =>
  (logged: LogFields, message: string): void => {
    lines.push({ level, fields: logged, message });
  };
const logger: Logger = {
  debug: note("debug"),
  info: note("info"),
  warn: note("warn"),
  error: note("error"),
  child: () => logger,
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-reload-"));
  path = join(folder, "config.json");
  lines = [];
  applied = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(value: unknown): void {
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
}

function reloader(
  argv: readonly string[] = ["--config", path],
  environment = {},
): ConfigReloader<z.output<typeof schema>> {
  const surroundings = { argv, environment, columns: undefined };
  const configured = configure(program, surroundings);
  if (configured.kind === "end") {
    throw new Error("it would not start");
  }
  const apply = (config: z.output<typeof schema>): void => {
    applied.push(config);
  };
  return new ConfigReloader({ program, surroundings, reading: configured.reading, logger, apply });
}

test("what can change takes effect, what cannot is named, and stays", () => {
  write({ limit: 20 });
  const again = reloader();
  write({ limit: 30, port: 8 });
  again.reload();
  expect(applied).toEqual([{ port: 7, limit: 30, most: 100 }]);
  expect(lines).toEqual([
    { level: "info", fields: { setting: "limit", from: "20", to: "30" }, message: "the setting was changed" },
    {
      level: "warn",
      fields: { setting: "port", value: "7", wanted: "8" },
      message: "the setting needs a restart to change",
    },
    { level: "info", fields: { file: path, changed: 1 }, message: "the configuration was read again" },
  ]);
});

test("a field that was taken out of the file goes back to its default", () => {
  write({ limit: 20 });
  const again = reloader();
  write({});
  again.reload();
  expect(applied).toEqual([{ port: 7, limit: 10, most: 100 }]);
});

test("the environment goes before the file at a reload, too", () => {
  write({});
  const again = reloader(["--config", path], { FLAREDB_THING_LIMIT: "5" });
  write({ limit: 30 });
  again.reload();
  expect(applied).toEqual([{ port: 7, limit: 5, most: 100 }]);
  expect(lines.map(({ level }) => level)).toEqual(["info"]);
});

test.each([
  ["no JSON", "{", "cannot be read"],
  ["out of bounds", { limit: 0, port: 9 }, "limit 0 must be >= 1"],
  ["an unknown field", { limit: 3, x: 1 }, "x is no known field"],
])("a file that is %s changes nothing", (_name, content, problem) => {
  write({ limit: 20 });
  const again = reloader();
  write(content);
  again.reload();
  expect(applied).toEqual([]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: "error",
    message: "the configuration is wrong: nothing was changed",
    fields: { file: path, problems: [expect.stringContaining(problem)] },
  });
  write({ limit: 21 });
  again.reload();
  expect(applied).toEqual([{ port: 7, limit: 21, most: 100 }]);
});

test("a file that is right only after a restart changes nothing, and is not called wrong", () => {
  write({ limit: 20 });
  const again = reloader();
  write({ limit: 300, most: 400 });
  again.reload();
  expect(applied).toEqual([]);
  expect(lines).toEqual([
    {
      level: "error",
      fields: { file: path, problems: [`limit 300 must be <= most (${path})`] },
      message:
        "the configuration is right, but not beside settings that need a restart to change: nothing was changed, restart to have all of it",
    },
  ]);
});

test("what counts at the first start only is told so", () => {
  write({});
  const again = reloader();
  write({ begin: 3 });
  again.reload();
  expect(lines[0]).toEqual({
    level: "warn",
    fields: { setting: "begin", value: "-", wanted: "3" },
    message: "the setting counts at the very first start only: a change has no effect",
  });
});

test.each([
  ["quieter", "info", "error", ["told", "told", "applied"]],
  ["louder", "error", "info", ["applied", "told", "told"]],
])("a change to a %s log is told while the log still has it", (_name, from, to, order) => {
  write({ logLevel: from });
  const again = reloader();
  write({ logLevel: to });
  const seen: string[] = [];
  vi.spyOn(lines, "push").mockImplementation(() => seen.push("told"));
  vi.spyOn(applied, "push").mockImplementation(() => seen.push("applied"));
  again.reload();
  expect(seen).toEqual(order);
});

test("without a file there is nothing to read", () => {
  reloader([]).reload();
  expect(lines).toMatchObject([{ level: "warn" }]);
  expect(applied).toEqual([]);
});

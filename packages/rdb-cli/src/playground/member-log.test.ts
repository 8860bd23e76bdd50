import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lastLogLine, rotateLog } from "./member-log.ts";

let folder = "";
let log = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-log-"));
  log = join(folder, "pd.log");
});
afterEach(() => rm(folder, { recursive: true }));

test("a log that is missing or empty says nothing", async () => {
  expect(await lastLogLine(log)).toBeUndefined();
  writeFileSync(log, "");
  expect(await lastLogLine(log)).toBeUndefined();
});

test("the last problem is told before what follows it", async () => {
  writeFileSync(
    log,
    [
      '{"level":30,"msg":"starting"}',
      '{"level":60,"msg":"cannot start","error":"disk full"}',
      '{"level":30,"msg":"stopped"}',
      "",
    ].join("\n"),
  );
  expect(await lastLogLine(log)).toBe("cannot start: disk full");
});

test("an uncaught error is told by its message, not by its stack", async () => {
  writeFileSync(
    log,
    '{"level":30,"msg":"ready"}\n\nTypeError: x is no function\n    at file.ts:1:2\n\nNode.js v24\n',
  );
  expect(await lastLogLine(log)).toBe("TypeError: x is no function");
});

test("without a problem the last line is told, from a long log too", async () => {
  writeFileSync(log, `${'{"level":30,"msg":"tick"}\n'.repeat(5_000)}{"level":30,"msg":"last"}\n`);
  expect(await lastLogLine(log)).toBe("last");
});

test("only a large log is put aside", async () => {
  writeFileSync(log, "small");
  await rotateLog(log);
  expect(existsSync(log)).toBe(true);
  truncateSync(log, 17 * 1024 * 1024);
  await rotateLog(log);
  expect(existsSync(log)).toBe(false);
  expect(existsSync(`${log}.old`)).toBe(true);
});

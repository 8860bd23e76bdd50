import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeValueFile } from "./value-file.ts";

const value = Uint8Array.of(0, 255, 10);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flaredb-test-"));
});

afterEach(() => rm(folder, { recursive: true }));

test("a file gets the bytes as they are, and stdout nothing", async () => {
  const stdout = new PassThrough();
  const path = join(folder, "value");
  await writeValueFile(path, value, stdout);
  expect(new Uint8Array(await readFile(path))).toEqual(value);
  expect(stdout.read()).toBeNull();
});

test("- is stdout", async () => {
  const stdout = new PassThrough();
  await writeValueFile("-", value, stdout);
  expect(new Uint8Array(stdout.read() as Buffer)).toEqual(value);
});

test("a file that cannot be written is named, with the reason", async () => {
  const path = join(folder, "none", "value");
  await expect(writeValueFile(path, value, new PassThrough())).rejects.toMatchObject({
    code: "RDB_INVALID_ARGUMENT",
    message: expect.stringMatching(/^--value-file .*value cannot be written: ENOENT/),
  });
});

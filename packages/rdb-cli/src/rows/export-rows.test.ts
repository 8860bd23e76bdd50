import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FULL_RANGE } from "@flaredb/rdb-base";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CursorFile, type ExportCursor } from "./cursor-file.ts";
import { ExportFile } from "./export-rows.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-export-"));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Has the file system take a few bytes of each write only, as one does whose disk is nearly full. */
async function writeShort(): Promise<void> {
  const probe = await open(join(folder, "probe"), "w");
  const handles = Object.getPrototypeOf(probe) as { write: (...args: unknown[]) => Promise<unknown> };
  await probe.close();
  const { write } = handles;
  vi.spyOn(handles, "write").mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [data, first = 0, , position = first] = args;
    const bytes = typeof data === "string" ? Buffer.from(data) : (data as Buffer);
    const from = typeof data === "string" ? 0 : Number(first);
    return write.call(this, bytes, from, Math.min(3, bytes.length - from), position);
  });
}

test("a page is in the file as a whole, also where a write takes only a part of it", async () => {
  const path = join(folder, "rows.jsonl");
  const file = await ExportFile.create(path, new CursorFile<ExportCursor>(path, "export"), FULL_RANGE);
  await writeShort();
  for (const text of ['{"key":"a","value":"1"}\n', '{"key":"ü","value":"2"}\n']) {
    await file.write(text);
    await file.keep({ rowCount: 1, bytes: Buffer.byteLength(text), lastKey: new Uint8Array([1]) });
  }
  await file.close(true);
  expect(await readFile(path, "utf8")).toBe('{"key":"a","value":"1"}\n{"key":"ü","value":"2"}\n');
});

test("a new file is not gone on with by the cursor of one that was there before", async () => {
  const path = join(folder, "rows.jsonl");
  const cursorFile = new CursorFile<ExportCursor>(path, "export");
  await cursorFile.write({
    ...{ transfer: "export", startKey: "", endKey: "", lastKey: "enp6" },
    ...{ rowCount: 900, fileBytes: 5 },
  });
  const file = await ExportFile.create(path, cursorFile, FULL_RANGE);
  // Its process dies before the first page is kept.
  await file.write('{"key":"a","value":"1"}\n');
  await file.close(false);
  await expect(ExportFile.resume(path, cursorFile, FULL_RANGE)).rejects.toThrow("finds no cursor");
});

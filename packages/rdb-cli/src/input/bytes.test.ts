import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { limits } from "@flaredb/rdb-base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseBound, parseKey, readValue } from "./bytes.ts";

const nothing = Readable.from([]);

describe("keys", () => {
  test("are the text's UTF-8, or the bytes that hexadecimal digits name", () => {
    expect([...parseKey("é", false)]).toEqual([0xc3, 0xa9]);
    expect([...parseKey("00ff", true)]).toEqual([0x00, 0xff]);
  });

  test("must not be empty, and bounds may", () => {
    expect(() => parseKey("", false)).toThrow("key is empty: it must have 1 to 4096 bytes");
    expect(parseBound("start", "", false)).toHaveLength(0);
  });

  test("have at most 4 KiB, counted in bytes", () => {
    expect(parseKey("k".repeat(limits.keyMaxBytes), false)).toHaveLength(limits.keyMaxBytes);
    expect(() => parseKey("é".repeat(limits.keyMaxBytes / 2 + 1), false)).toThrow(
      "key of 4098 bytes is too long: the limit is 4096 bytes",
    );
    expect(() => parseBound("end", "k".repeat(limits.keyMaxBytes + 1), false)).toThrow("end of 4097 bytes");
  });

  test.each(["0", "0g", "zz"])("in hexadecimal are refused as %s", (text) => {
    expect(() => parseKey(text, true)).toThrow("must be an even number of hexadecimal digits");
  });
});

describe("values", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rdb-cli-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = (source: { text?: string; file?: string; hex?: boolean }, stdin = nothing) =>
    readValue({ text: source.text, file: source.file, hex: source.hex ?? false }, stdin);

  test("may be empty", async () => {
    expect(await read({ text: "" })).toHaveLength(0);
  });

  test("come from a file or stdin byte by byte", async () => {
    const file = join(folder, "value");
    writeFileSync(file, Buffer.from([0, 10, 255, 10]));
    expect([...(await read({ file }))]).toEqual([0, 10, 255, 10]);
    expect([...(await read({ text: "-" }, Readable.from([Buffer.from([1]), Buffer.from([2, 10])])))]).toEqual(
      [1, 2, 10],
    );
    expect([...(await read({ file: "-" }, Readable.from([Buffer.from([7])])))]).toEqual([7]);
  });

  test("in hexadecimal may end with a line break", async () => {
    expect([...(await read({ text: "-", hex: true }, Readable.from(["00ff\n"])))]).toEqual([0, 255]);
  });

  test("must be given once", async () => {
    await expect(read({})).rejects.toThrow("value must be given once");
    await expect(read({ text: "a", file: "b" })).rejects.toThrow("value must be given once");
  });

  test("have at most 8 MiB, from wherever they come", async () => {
    const file = join(folder, "large");
    writeFileSync(file, Buffer.alloc(limits.valueMaxBytes + 1));
    await expect(read({ file })).rejects.toThrow(
      "value of 8388609 bytes is too large: the limit is 8388608 bytes",
    );
    const endless = Readable.from(
      (function* () {
        for (;;) {
          yield Buffer.alloc(1024 * 1024);
        }
      })(),
    );
    await expect(read({ text: "-" }, endless)).rejects.toThrow("value on stdin is too large");
  });

  test("from a file that is not there say so", async () => {
    await expect(read({ file: join(folder, "none") })).rejects.toThrow(
      /--value-file .*none cannot be read: ENOENT/,
    );
  });
});

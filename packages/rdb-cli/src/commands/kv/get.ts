import { RdbError } from "@flaredb/rdb-base";
import type { Command } from "commander";
import { parseKey } from "../../input/bytes.ts";
import { write } from "../../io.ts";
import { bytesField } from "../../output/json.ts";
import { printable, toHex } from "../../output/text.ts";
import { writeValueFile } from "../../output/value-file.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";

interface Options {
  readonly hex?: true;
  readonly valueFile?: string;
}

/** `rdb get KEY` */
export function defineGet(parent: Command, shell: Shell): void {
  const command = parent
    .command("get <key>")
    .description("read a key's value; exits with 1 when there is no such key")
    .option("--hex", "read the key and print the value as hexadecimal digits")
    .option("--value-file <file>", "write the value to a file, byte by byte; - is stdout");
  defineAction(command, shell, get);
}

async function get(call: Call<Options>, keyText: string): Promise<undefined> {
  const { valueFile, hex = false } = call.options;
  const key = parseKey(keyText, hex);
  const row = await withClient(call.globals, (client, options) => client.get(key, options));
  if (row === undefined) {
    throw keyNotFound(key);
  }
  const { value, version } = row;
  const document = { ...bytesField("key", key, hex), version };
  if (valueFile !== undefined) {
    await writeValueFile(valueFile, value, call.io.stdout);
    if (valueFile !== "-") {
      await call.print({ ...document, valueFile, sizeBytes: value.length }, () => "");
    }
    return;
  }
  if (call.globals.json || hex) {
    await call.print({ ...document, ...bytesField("value", value, hex) }, () => `${toHex(value)}\n`);
    return;
  }
  await writeValue(call, value);
}

/** What every command says of a key that is not there. */
export function keyNotFound(key: Uint8Array): RdbError {
  return new RdbError("RDB_NOT_FOUND", `there is no key "${printable(key)}"`, {
    details: bytesField("key", key),
  });
}

// Into a pipe or file byte by byte, and a line break; onto a terminal only what cannot confuse it.
async function writeValue(call: Call<Options>, value: Uint8Array): Promise<void> {
  await write(call.io.stdout, call.io.columns === undefined ? value : printable(value));
  await write(call.io.stdout, "\n");
}

import type { Command } from "commander";
import { parseKey, readValue } from "../../input/bytes.ts";
import { bytesField } from "../../output/json.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";

interface Options {
  readonly hex?: true;
  readonly valueFile?: string;
}

/** `rdb put KEY VALUE` */
export function definePut(parent: Command, shell: Shell): void {
  const command = parent
    .command("put <key> [value]")
    .description("write a value; VALUE - reads stdin")
    .option("--hex", "read key and value as hexadecimal digits")
    .option("--value-file <file>", "read the value from a file, byte by byte; - is stdin");
  defineAction(command, shell, put);
}

async function put(call: Call<Options>, keyText: string, valueText: string | undefined): Promise<undefined> {
  const { valueFile, hex = false } = call.options;
  const key = parseKey(keyText, hex);
  const value = await readValue({ text: valueText, file: valueFile, hex }, call.io.stdin);
  const { version } = await withClient(call.globals, (client, options) => client.put(key, value, options));
  await call.print({ ...bytesField("key", key, hex), version }, () => `version ${version}\n`);
}

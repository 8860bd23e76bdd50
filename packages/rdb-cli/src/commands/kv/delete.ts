import type { Command } from "commander";
import { parseKey } from "../../input/bytes.ts";
import { bytesField } from "../../output/json.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";
import { keyNotFound } from "./get.ts";

interface Options {
  readonly hex?: true;
}

/** `rdb delete KEY` */
export function defineDelete(parent: Command, shell: Shell): void {
  const command = parent
    .command("delete <key>")
    .description("delete a key; exits with 1 when there is no such key")
    .option("--hex", "read the key as hexadecimal digits");
  defineAction(command, shell, deleteKey);
}

async function deleteKey(call: Call<Options>, keyText: string): Promise<undefined> {
  const hex = call.options.hex === true;
  const key = parseKey(keyText, hex);
  const { deleted } = await withClient(call.globals, (client, options) => client.delete(key, options));
  if (!deleted) {
    throw keyNotFound(key);
  }
  await call.print({ ...bytesField("key", key, hex), deleted: true }, () => "deleted\n");
}

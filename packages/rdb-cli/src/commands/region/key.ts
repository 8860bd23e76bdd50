import type { Command } from "commander";
import { parseKey } from "../../input/bytes.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { printRegion } from "./print-region.ts";

interface Options {
  readonly hex?: true;
}

/** `rdb region key KEY` */
export function defineRegionKey(parent: Command, shell: Shell): void {
  const command = parent
    .command("key <key>")
    .description("show the Region that holds a key")
    .option("--hex", "read and print keys as hexadecimal digits");
  defineLook(command, shell, showRegionOfKey);
}

async function showRegionOfKey(call: Call<Options>, keyText: string): Promise<undefined> {
  const hex = call.options.hex === true;
  const key = parseKey(keyText, hex);
  const { callPd } = await import("../../pd-caller.ts");
  const answer = await callPd(call.globals, (pd, options) => pd.getRegion({ key }, options));
  await printRegion(call, answer, hex);
}

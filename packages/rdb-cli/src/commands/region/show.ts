import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { printRegion } from "./print-region.ts";

interface Options {
  readonly hex?: true;
}

/** `rdb region show ID` */
export function defineRegionShow(parent: Command, shell: Shell): void {
  const command = parent
    .command("show <id>")
    .description("show one Region: range, peers, leader, size")
    .option("--hex", "print keys as hexadecimal digits");
  defineLook(command, shell, showRegion);
}

async function showRegion(call: Call<Options>, idText: string): Promise<undefined> {
  const regionId = parseId("id", idText);
  const { callPd } = await import("../../pd-caller.ts");
  const answer = await callPd(call.globals, (pd, options) => pd.getRegionById({ regionId }, options));
  await printRegion(call, answer, call.options.hex === true);
}

import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { fetchPeers } from "./peers.ts";
import { printRegion } from "./print-region.ts";

interface Options {
  readonly hex?: true;
}

/** `rdb region show ID` */
export function defineRegionShow(parent: Command, shell: Shell): void {
  const command = parent
    .command("show <id>")
    .description("show one Region: range, peers and how far they are, leader, size")
    .option("--hex", "print keys as hexadecimal digits");
  defineLook(command, shell, showRegion);
}

/** Empty where a placement driver does not know how to ask for it: the rest is of use all the same. */
async function peersTable(call: Call<unknown>, regionId: bigint): Promise<string> {
  const { renderPeers } = await import("../../output/region-peers.ts");
  try {
    return `\n${renderPeers(await fetchPeers(call.globals, regionId), screenOf(call.io))}`;
  } catch {
    return "";
  }
}

async function showRegion(call: Call<Options>, idText: string): Promise<undefined> {
  const regionId = parseId("id", idText);
  const { callPd } = await import("../../pd-caller.ts");
  const answer = await callPd(call.globals, (pd, options) => pd.getRegionById({ regionId }, options));
  await printRegion(call, answer, call.options.hex === true, () => peersTable(call, regionId));
}

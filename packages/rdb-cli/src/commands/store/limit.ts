import type { StoreLimits } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { parseId, parseInteger } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { fetchStore } from "./fetch-store.ts";
import { printStore } from "./print-store.ts";

interface Options {
  readonly add?: string;
  readonly remove?: string;
}

/** What stands for the limit of all Stores. */
const DEFAULT = "default";
const LIMIT_MAX_COUNT = 10_000;

/** `rdb store limit ID` */
export function defineStoreLimit(parent: Command, shell: Shell): void {
  const command = parent
    .command("limit <id>")
    .description("set how many peers a Store takes in and gives away at a time; alone it shows that")
    .option("--add <count>", `peers that it takes in at a time, or \`${DEFAULT}\`: as all Stores`)
    .option("--remove <count>", `peers that it gives away at a time, or \`${DEFAULT}\`: as all Stores`);
  defineAction(command, shell, limitStore);
}

async function limitStore(call: Call<Options>, idText: string): Promise<undefined> {
  const storeId = parseId("id", idText);
  const { add, remove } = call.options;
  const wish = {
    ...(add === undefined ? {} : { addLimit: parseLimit("--add", add) }),
    ...(remove === undefined ? {} : { removeLimit: parseLimit("--remove", remove) }),
  };
  const status =
    Object.keys(wish).length === 0
      ? await fetchStore(call.globals, storeId)
      : await change(call, storeId, wish);
  const { limits } = status ?? {};
  await printStore(call, status, `Store ${storeId} ${limits === undefined ? UNKNOWN : limitsText(limits)}`);
}

async function change(
  call: Call<Options>,
  storeId: bigint,
  wish: { readonly addLimit?: number; readonly removeLimit?: number },
) {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { status } = await callPdAdmin(call.globals, (pd, options) =>
    pd.setStoreLimits({ storeId, ...wish }, options),
  );
  return status;
}

const UNKNOWN = "has the limits of all Stores: this placement driver knows no others";

/** `takes in 15 peers at a time (as all Stores), and gives 2 away (its own limit)` */
function limitsText(limits: StoreLimits): string {
  const { addLimit, removeLimit, isOwnAddLimit, isOwnRemoveLimit } = limits;
  const origin = (isOwn: boolean): string => (isOwn ? "its own limit" : "as all Stores");
  return `takes in ${addLimit} peers at a time (${origin(isOwnAddLimit)}), and gives ${removeLimit} away (${origin(isOwnRemoveLimit)})`;
}

/** 0 for `default`. */
function parseLimit(option: string, text: string): number {
  return text === DEFAULT ? 0 : parseInteger(option, text, 1, LIMIT_MAX_COUNT);
}

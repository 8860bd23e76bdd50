import type { Command } from "commander";
import { invalid } from "../../input/bytes.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { printStore } from "./print-store.ts";

/** `rdb store label ID NAME=VALUE...` */
export function defineStoreLabel(parent: Command, shell: Shell): void {
  const command = parent
    .command("label <id> <name=value...>")
    .description("set labels of a Store, such as host=a zone=b; `name=` takes one away, others stay");
  defineAction(command, shell, labelStore);
}

async function labelStore(call: Call<unknown>, idText: string, pairs: readonly string[]): Promise<undefined> {
  const storeId = parseId("id", idText);
  const labels = Object.fromEntries(pairs.map(parseLabel));
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { status } = await callPdAdmin(call.globals, (pd, options) =>
    pd.setStoreLabels({ storeId, labels }, options),
  );
  const now = Object.entries(status?.store?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const what = now.length === 0 ? "no labels" : `the labels ${now.join(",")}`;
  await printStore(call, status, `Store ${storeId} has ${what}`);
}

function parseLabel(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 1) {
    throw invalid("label", `label "${pair}" must be NAME=VALUE, or NAME= to take it away`);
  }
  return [pair.slice(0, at), pair.slice(at + 1)];
}

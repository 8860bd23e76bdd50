import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { printStore } from "./print-store.ts";

/** `rdb store cancel-decommission ID` */
export function defineStoreCancelDecommission(parent: Command, shell: Shell): void {
  const command = parent
    .command("cancel-decommission <id>")
    .description("keep a Store that is being decommissioned; it takes peers again");
  defineAction(command, shell, cancelDecommission);
}

async function cancelDecommission(call: Call<unknown>, idText: string): Promise<undefined> {
  const storeId = parseId("id", idText);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { status } = await callPdAdmin(call.globals, (pd, options) =>
    pd.cancelDecommission({ storeId }, options),
  );
  await printStore(call, status, `Store ${storeId} stays, with ${status?.regionCount ?? 0} peers`);
}

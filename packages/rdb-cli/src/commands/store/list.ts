import type { Command } from "commander";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb store list` */
export function defineStoreList(parent: Command, shell: Shell): void {
  defineLook(
    parent.command("list").description("list all Stores with their state and load"),
    shell,
    listStores,
  );
}

async function listStores(call: Call<unknown>): Promise<undefined> {
  const { callPd } = await import("../../pd-caller.ts");
  const { storeDocument } = await import("../../cluster-json.ts");
  const { statuses } = await callPd(call.globals, (pd, options) => pd.listStores({}, options));
  await call.print(statuses.map(storeDocument), async () => {
    const { renderStores } = await import("../../output/stores.ts");
    return renderStores(statuses, { nowMs: Date.now(), ...screenOf(call.io) });
  });
}

import { RdbError } from "@flaredb/rdb-base";
import { type StoreStatus, StoreState } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";
import type { Look } from "../../wait-for.ts";
import { fetchStore } from "./fetch-store.ts";
import { printStore } from "./print-store.ts";

/** `rdb store decommission ID` */
export function defineStoreDecommission(parent: Command, shell: Shell): void {
  const command = parent
    .command("decommission <id>")
    .description("move a Store's peers to other Stores; its process ends once it is empty")
    .addOption(noWaitOption("do not wait until the Store is empty"));
  defineAction(command, shell, decommission);
}

async function decommission(call: Call<WaitOptions>, idText: string): Promise<ExitCode> {
  const storeId = parseId("id", idText);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { status } = await callPdAdmin(call.globals, (pd, options) =>
    pd.decommissionStore({ storeId }, options),
  );
  const regionCount = status?.regionCount ?? 0;
  if (!call.options.wait) {
    await printStore(call, status, `Store ${storeId} is being emptied of ${regionCount} Regions`);
    return exitCodes.done;
  }
  const { waitFor } = await import("../../wait-for.ts");
  const gone = await waitFor(call, {
    look: async () => lookAt(await fetchStore(call.globals, storeId)),
    goesOn:
      `Store ${storeId} goes on being emptied: \`rdb store show ${storeId}\` tells how many Regions are left, ` +
      `\`rdb store cancel-decommission ${storeId}\` keeps it`,
  });
  if (gone === undefined) {
    return exitCodes.interrupted;
  }
  await printStore(
    call,
    gone.done,
    `Store ${storeId} holds no Region any more and is gone for good: its process ends, and its data folder can be deleted`,
  );
  return exitCodes.done;
}

function lookAt(status: StoreStatus): Look<StoreStatus> {
  const { store, regionCount } = status;
  if (store?.state === StoreState.TOMBSTONE) {
    return { done: status };
  }
  if (store?.state === StoreState.UP) {
    throw new RdbError(
      "RDB_OPERATOR_CANCELLED",
      `somebody cancelled that: Store ${store.id} stays, with ${regionCount} Regions`,
      { details: { storeId: Number(store.id), reason: "by-admin" } },
    );
  }
  return { text: `Store ${store?.id} is being emptied: ${regionCount} Regions left` };
}

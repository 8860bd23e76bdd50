import { type StoreStatus, StoreState } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import type { Look } from "../../wait-for.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";
import { fetchStore } from "./fetch-store.ts";
import { printStore } from "./print-store.ts";

interface Options extends WaitOptions {
  readonly stop?: true;
}

/** `rdb store evict-leaders ID` */
export function defineStoreEvictLeaders(parent: Command, shell: Shell): void {
  const command = parent
    .command("evict-leaders <id>")
    .description("hand the Store's leaderships to others, before maintenance; it gets none until --stop")
    .option("--stop", "let the Store lead again")
    .addOption(noWaitOption("do not wait until the Store leads nothing"));
  defineAction(command, shell, evictLeaders);
}

async function evictLeaders(call: Call<Options>, idText: string): Promise<ExitCode> {
  const storeId = parseId("id", idText);
  const stop = call.options.stop === true;
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { status } = await callPdAdmin(call.globals, (pd, options) =>
    pd.evictLeaders({ storeId, stop }, options),
  );
  if (stop) {
    await printStore(call, status, `Store ${storeId} may lead again`);
    return exitCodes.done;
  }
  if (!call.options.wait) {
    await printStore(call, status, `Store ${storeId} hands its ${status?.leaderCount ?? 0} leaderships away`);
    return exitCodes.done;
  }
  const { waitFor } = await import("../../wait-for.ts");
  const emptied = await waitFor(call, {
    look: async () => lookAt(await fetchStore(call.globals, storeId)),
    goesOn:
      `Store ${storeId} goes on handing its leaderships away: \`rdb store show ${storeId}\` tells how many are left, ` +
      `\`rdb store evict-leaders ${storeId} --stop\` ends it`,
  });
  if (emptied === undefined) {
    return exitCodes.interrupted;
  }
  await printStore(call, emptied.done, `Store ${storeId} leads nothing, until evict-leaders --stop`);
  return exitCodes.done;
}

/**
 * A placement driver that has just begun to lead knows of no leaders before the Stores have told it: that it counts none
 * says nothing until it has the Store's own word. One that is down or gone has none to give, and leads nothing.
 */
function lookAt(status: StoreStatus): Look<StoreStatus> {
  const { store, stats, leaderCount } = status;
  const isSilent = store?.state === StoreState.DOWN || store?.state === StoreState.TOMBSTONE;
  if (stats === undefined && !isSilent) {
    return { text: `Store ${store?.id} has not reported to the placement driver yet` };
  }
  return leaderCount === 0
    ? { done: status }
    : { text: `Store ${store?.id} hands its leaderships away: ${leaderCount} left` };
}

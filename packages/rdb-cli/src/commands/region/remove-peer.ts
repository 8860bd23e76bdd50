import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

interface Options extends WaitOptions {
  readonly store: string;
}

/** `rdb region remove-peer ID --store S` */
export function defineRegionRemovePeer(parent: Command, shell: Shell): void {
  const command = parent
    .command("remove-peer <id>")
    .description("take a peer away from a Region")
    .requiredOption("--store <store>", "the Store that loses it")
    .addOption(noWaitOption());
  defineAction(command, shell, removePeer);
}

async function removePeer(call: Call<Options>, idText: string): Promise<ExitCode> {
  const regionId = parseId("id", idText);
  const storeId = parseId("store", call.options.store);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { carryOut } = await import("../../carry-out.ts");
  const { caveatOf } = await import("../../output/operators.ts");
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.removePeer({ regionId, storeId }, options),
  );
  return carryOut(
    call,
    operator,
    ({ motive }) => `Region ${regionId} has no peer on Store ${storeId} any more${caveatOf(motive)}`,
  );
}

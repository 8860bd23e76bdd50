import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

interface Options extends WaitOptions {
  readonly store: string;
}

/** `rdb region add-peer ID --store S` */
export function defineRegionAddPeer(parent: Command, shell: Shell): void {
  const command = parent
    .command("add-peer <id>")
    .description("give a Region one more peer")
    .requiredOption("--store <store>", "the Store that gets it")
    .addOption(noWaitOption());
  defineAction(command, shell, addPeer);
}

async function addPeer(call: Call<Options>, idText: string): Promise<ExitCode> {
  const regionId = parseId("id", idText);
  const storeId = parseId("store", call.options.store);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { carryOut } = await import("../../carry-out.ts");
  const { caveatOf } = await import("../../output/operators.ts");
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.addPeer({ regionId, storeId }, options),
  );
  return carryOut(
    call,
    operator,
    ({ motive }) => `Region ${regionId} has a peer on Store ${storeId} now${caveatOf(motive)}`,
  );
}

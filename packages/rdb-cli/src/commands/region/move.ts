import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

interface Options extends WaitOptions {
  readonly from: string;
  readonly to: string;
}

/** `rdb region move ID --from A --to B` */
export function defineRegionMove(parent: Command, shell: Shell): void {
  const command = parent
    .command("move <id>")
    .description("move a Region's peer from one Store to another; the Region serves throughout")
    .requiredOption("--from <store>", "the Store that gives its peer away")
    .requiredOption("--to <store>", "the Store that gets it")
    .addOption(noWaitOption());
  defineAction(command, shell, movePeer);
}

async function movePeer(call: Call<Options>, idText: string): Promise<ExitCode> {
  const regionId = parseId("id", idText);
  const fromStoreId = parseId("from", call.options.from);
  const toStoreId = parseId("to", call.options.to);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { carryOut } = await import("../../carry-out.ts");
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.movePeer({ regionId, fromStoreId, toStoreId }, options),
  );
  return carryOut(
    call,
    operator,
    () => `Region ${regionId}: its peer moved from Store ${fromStoreId} to Store ${toStoreId}`,
  );
}

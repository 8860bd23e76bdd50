import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

interface Options extends WaitOptions {
  readonly to: string;
}

/** `rdb region transfer-leader ID --to S` */
export function defineRegionTransferLeader(parent: Command, shell: Shell): void {
  const command = parent
    .command("transfer-leader <id>")
    .description("hand a Region's leadership to another of its peers")
    .requiredOption("--to <store>", "the Store that is to lead it")
    .addOption(noWaitOption());
  defineAction(command, shell, transferLeader);
}

async function transferLeader(call: Call<Options>, idText: string): Promise<ExitCode> {
  const regionId = parseId("id", idText);
  const toStoreId = parseId("to", call.options.to);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { carryOut } = await import("../../carry-out.ts");
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.transferRegionLeader({ regionId, toStoreId }, options),
  );
  return carryOut(call, operator, () => `Region ${regionId} is led by Store ${toStoreId} now`);
}

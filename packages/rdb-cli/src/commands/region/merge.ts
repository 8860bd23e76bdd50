import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

interface Options extends WaitOptions {
  readonly into?: string;
}

/** `rdb region merge ID [--into ID]` */
export function defineRegionMerge(parent: Command, shell: Shell): void {
  const command = parent
    .command("merge <id>")
    .description("merge a Region into its neighbour, which takes its keys; the Region is gone then")
    .option("--into <id>", "the neighbour (default: the smaller of both)")
    .addOption(noWaitOption());
  defineAction(command, shell, mergeRegions);
}

async function mergeRegions(call: Call<Options>, idText: string): Promise<ExitCode> {
  const regionId = parseId("id", idText);
  const { into } = call.options;
  const targetRegionId = into === undefined ? 0n : parseId("into", into);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { carryOut } = await import("../../carry-out.ts");
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.mergeRegions({ regionId, targetRegionId }, options),
  );
  const target = targetRegionId === 0n ? "its neighbour" : `Region ${targetRegionId}`;
  return carryOut(call, operator, () => `Region ${regionId} was merged into ${target}`);
}

import type { Operator } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

/** `rdb region scatter ID...` */
export function defineRegionScatter(parent: Command, shell: Shell): void {
  const command = parent
    .command("scatter <ids...>")
    .description("spread peers and leaders of Regions over the Stores, as if they were placed anew")
    .addOption(noWaitOption("print the operators' ids and do not wait for their ends"));
  defineAction(command, shell, scatterRegions);
}

async function scatterRegions(call: Call<WaitOptions>, idTexts: readonly string[]): Promise<ExitCode> {
  const regionIds = idTexts.map((text) => parseId("id", text));
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { operatorDocument } = await import("../../operator-json.ts");
  const { operators } = await callPdAdmin(call.globals, (pd, options) =>
    pd.scatterRegions({ regionIds }, options),
  );
  if (!call.options.wait) {
    await call.print(operators.map(operatorDocument), () => operators.map(({ id }) => `${id}\n`).join(""));
    return exitCodes.done;
  }
  const { follow } = await import("../../carry-out.ts");
  const ended: Operator[] = [];
  for (const operator of operators) {
    // They run side by side: the first may take long, the others have ended by then.
    const last = await follow(call, operator);
    if (last === undefined) {
      return exitCodes.interrupted;
    }
    ended.push(last);
  }
  await call.print(ended.map(operatorDocument), () => describe(regionIds.length, ended.length));
  return exitCodes.done;
}

/** The placement driver leaves those out that lie well, and those that it cannot change now; it does not say which. */
function describe(regionCount: number, movedCount: number): string {
  const left = "well already or cannot be changed now: `rdb operator explain` says why";
  const [regions, verb] = regionCount === 1 ? ["1 Region", "lies"] : [`${regionCount} Regions`, "lie"];
  if (movedCount === 0) {
    return `Nothing was moved: ${regions} ${verb} ${left}\n`;
  }
  return movedCount === regionCount
    ? `${regions}: all moved\n`
    : `${regions}: ${movedCount} moved, the others lie ${left}\n`;
}

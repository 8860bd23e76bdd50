import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { fetchOperator } from "./show.ts";

/** `rdb operator watch ID` */
export function defineOperatorWatch(parent: Command, shell: Shell): void {
  const command = parent
    .command("watch <id>")
    .description("follow an operator to its end; exits with 1 when it was cancelled or timed out");
  defineAction(command, shell, watchOperator);
}

async function watchOperator(call: Call<unknown>, idText: string): Promise<ExitCode> {
  const operator = await fetchOperator(call, parseId("id", idText));
  const { carryOut } = await import("../../carry-out.ts");
  const waiting = { ...call, options: { wait: true } };
  return carryOut(
    waiting,
    operator,
    ({ id, kind, regionId }) => `operator ${id} (${kind} of Region ${regionId}) is done`,
  );
}

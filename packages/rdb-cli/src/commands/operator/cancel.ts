import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

/** `rdb operator cancel ID` */
export function defineOperatorCancel(parent: Command, shell: Shell): void {
  const command = parent
    .command("cancel <id>")
    .description("cancel an operator; a step that its Store has begun may still be carried out");
  defineAction(command, shell, cancelOperator);
}

async function cancelOperator(call: Call<unknown>, idText: string): Promise<undefined> {
  const operatorId = parseId("id", idText);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { present } = await import("../../carry-out.ts");
  const { operatorDocument } = await import("../../operator-json.ts");
  const answer = await callPdAdmin(call.globals, (pd, options) => pd.cancelOperator({ operatorId }, options));
  const { id, kind, regionId, currentStep, steps } = present(answer.operator);
  await call.print(
    operatorDocument(present(answer.operator)),
    () =>
      `operator ${id} (${kind} of Region ${regionId}) was cancelled after ${currentStep} of ${steps.length} steps\n`,
  );
}

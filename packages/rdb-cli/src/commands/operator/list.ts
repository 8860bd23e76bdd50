import type { Command } from "commander";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb operator list` */
export function defineOperatorList(parent: Command, shell: Shell): void {
  const command = parent.command("list").description("list the operators that wait or run");
  defineLook(command, shell, listOperators);
}

async function listOperators(call: Call<unknown>): Promise<undefined> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { operatorDocument } = await import("../../operator-json.ts");
  const { operators } = await callPdAdmin(call.globals, (pd, options) => pd.listOperators({}, options));
  await call.print(operators.map(operatorDocument), async () => {
    if (operators.length === 0) {
      return "no operator waits or runs; see `rdb operator history` for what ended\n";
    }
    const { renderOperators } = await import("../../output/operators.ts");
    return renderOperators(operators, { nowMs: Date.now(), ...screenOf(call.io) });
  });
}

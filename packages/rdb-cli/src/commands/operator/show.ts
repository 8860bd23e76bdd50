import type { Operator } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb operator show ID` */
export function defineOperatorShow(parent: Command, shell: Shell): void {
  const command = parent.command("show <id>").description("show one operator: why, its steps, how far it is");
  defineLook(command, shell, showOperator);
}

async function showOperator(call: Call<unknown>, idText: string): Promise<undefined> {
  const operator = await fetchOperator(call, parseId("id", idText));
  const { operatorDocument } = await import("../../operator-json.ts");
  await call.print(operatorDocument(operator), async () => {
    const { renderOperator } = await import("../../output/operators.ts");
    return renderOperator(operator, Date.now());
  });
}

/** @throws RdbError RDB_NOT_FOUND */
export async function fetchOperator(call: Call<unknown>, operatorId: bigint): Promise<Operator> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { present } = await import("../../carry-out.ts");
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.getOperator({ operatorId }, options),
  );
  return present(operator);
}

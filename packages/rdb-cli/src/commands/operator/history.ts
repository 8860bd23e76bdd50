import type { Command } from "commander";
import { parseId, parseInteger } from "../../input/numbers.ts";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

const DEFAULT_LIMIT = 20;
const LIMIT_MAX = 1_000;

interface Options {
  readonly region?: string;
  readonly limit: string;
}

/** `rdb operator history` */
export function defineOperatorHistory(parent: Command, shell: Shell): void {
  const command = parent
    .command("history")
    .description("list the operators that ended, the latest first")
    .option("--region <id>", "only this Region's")
    .option("--limit <count>", `at most so many, up to ${LIMIT_MAX}`, String(DEFAULT_LIMIT));
  defineLook(command, shell, listHistory);
}

async function listHistory(call: Call<Options>): Promise<undefined> {
  const { region } = call.options;
  const request = {
    regionId: region === undefined ? 0n : parseId("region", region),
    limit: parseInteger("limit", call.options.limit, 1, LIMIT_MAX),
  };
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { operatorDocument } = await import("../../operator-json.ts");
  const { operators } = await callPdAdmin(call.globals, (pd, options) =>
    pd.listOperatorHistory(request, options),
  );
  await call.print(operators.map(operatorDocument), async () => {
    if (operators.length === 0) {
      return "no operator has ended yet\n";
    }
    const { renderOperatorHistory } = await import("../../output/operators.ts");
    return renderOperatorHistory(operators, { nowMs: Date.now(), ...screenOf(call.io) });
  });
}

import type { Explanation } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb operator explain REGION` */
export function defineOperatorExplain(parent: Command, shell: Shell): void {
  const command = parent
    .command("explain <region>")
    .description("say what each checker and scheduler would do with a Region now, or why nothing");
  defineLook(command, shell, explainRegion);
}

async function explainRegion(call: Call<unknown>, idText: string): Promise<undefined> {
  const regionId = parseId("region", idText);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { explanations } = await callPdAdmin(call.globals, (pd, options) =>
    pd.explainRegion({ regionId }, options),
  );
  await call.print(explanations.map(explanationDocument), () => explanations.map(render).join(""));
}

function explanationDocument({ source, acts, summary, ruledOut }: Explanation): Record<string, unknown> {
  return {
    source,
    acts,
    summary,
    ruledOut: ruledOut.map(({ storeId, filter, reason }) => ({ storeId, filter, reason })),
  };
}

/** A line for what it makes of the Region, and one below for each Store that a filter ruled out. */
function render({ source, acts, summary, ruledOut }: Explanation): string {
  const stores = ruledOut.map(
    ({ storeId, filter, reason }) => `      Store ${storeId} is ruled out by ${filter}: ${reason}\n`,
  );
  return `${acts ? "[>]" : "[ ]"} ${source}: ${summary}\n${stores.join("")}`;
}

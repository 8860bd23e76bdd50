import { RdbError } from "@flaredb/rdb-base";
import type { Command } from "commander";
import { parseInteger } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

/** `rdb store show ID` */
export function defineStoreShow(parent: Command, shell: Shell): void {
  const command = parent
    .command("show <id>")
    .description("show one Store: addresses, state, disk, memory, load");
  defineAction(command, shell, showStore);
}

async function showStore(call: Call<unknown>, idText: string): Promise<undefined> {
  const storeId = BigInt(parseInteger("id", idText, 1, Number.MAX_SAFE_INTEGER));
  const { callPd } = await import("../../pd-caller.ts");
  const { storeDocument } = await import("../../cluster-json.ts");
  const { pdAddresses, timeoutMs } = call.globals;
  const { status } = await callPd(pdAddresses, timeoutMs, (pd, options) => pd.getStore({ storeId }, options));
  if (status === undefined) {
    throw new RdbError(
      "RDB_NOT_FOUND",
      `the placement driver knows no Store ${storeId}; see \`rdb store list\``,
    );
  }
  await call.print(storeDocument(status), async () => {
    const { renderStore } = await import("../../output/stores.ts");
    return renderStore(status, Date.now());
  });
}

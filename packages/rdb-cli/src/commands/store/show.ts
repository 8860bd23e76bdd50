import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { fetchStore } from "./fetch-store.ts";

/** `rdb store show ID` */
export function defineStoreShow(parent: Command, shell: Shell): void {
  const command = parent
    .command("show <id>")
    .description("show one Store: addresses, state, disk, memory, load");
  defineLook(command, shell, showStore);
}

async function showStore(call: Call<unknown>, idText: string): Promise<undefined> {
  const storeId = parseId("id", idText);
  const { storeDocument } = await import("../../cluster-json.ts");
  const status = await fetchStore(call.globals, storeId);
  await call.print(storeDocument(status), async () => {
    const { renderStore } = await import("../../output/stores.ts");
    return renderStore(status, Date.now());
  });
}

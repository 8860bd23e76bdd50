import type { Command } from "commander";
import type { Shell } from "../../shell.ts";
import { defineStoreCancelDecommission } from "./cancel-decommission.ts";
import { defineStoreDecommission } from "./decommission.ts";
import { defineStoreEvictLeaders } from "./evict-leaders.ts";
import { defineStoreLabel } from "./label.ts";
import { defineStoreLimit } from "./limit.ts";
import { defineStoreList } from "./list.ts";
import { defineStoreShow } from "./show.ts";

/** `rdb store …` */
export function defineStore(parent: Command, shell: Shell): void {
  const store = parent
    .command("store")
    .description("list, show; decommission, label, limit, evict-leaders …: Stores and their load");
  store.commandsGroup("Looking:");
  defineStoreList(store, shell);
  defineStoreShow(store, shell);
  store.commandsGroup("Changing:");
  defineStoreDecommission(store, shell);
  defineStoreCancelDecommission(store, shell);
  defineStoreLabel(store, shell);
  defineStoreLimit(store, shell);
  defineStoreEvictLeaders(store, shell);
}

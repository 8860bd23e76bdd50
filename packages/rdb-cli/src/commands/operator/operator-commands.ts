import type { Command } from "commander";
import type { Shell } from "../../shell.ts";
import { defineOperatorCancel } from "./cancel.ts";
import { defineOperatorExplain } from "./explain.ts";
import { defineOperatorHistory } from "./history.ts";
import { defineOperatorList } from "./list.ts";
import { defineOperatorShow } from "./show.ts";
import { defineOperatorWatch } from "./watch.ts";

/** `rdb operator …` */
export function defineOperator(parent: Command, shell: Shell): void {
  const operator = parent
    .command("operator")
    .description("list, show, watch, cancel, history, explain: what changes Regions, and why");
  defineOperatorList(operator, shell);
  defineOperatorShow(operator, shell);
  defineOperatorWatch(operator, shell);
  defineOperatorCancel(operator, shell);
  defineOperatorHistory(operator, shell);
  defineOperatorExplain(operator, shell);
}

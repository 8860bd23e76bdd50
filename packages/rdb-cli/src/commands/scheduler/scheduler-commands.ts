import type { Command } from "commander";
import type { Shell } from "../../shell.ts";
import { defineSchedulerConfig } from "./config.ts";
import { defineSchedulerList } from "./list.ts";
import { defineSchedulerPause, defineSchedulerResume } from "./pause.ts";

/** `rdb scheduler …` */
export function defineScheduler(parent: Command, shell: Shell): void {
  const scheduler = parent
    .command("scheduler")
    .description("list, pause, resume, config: what balances and repairs by itself");
  defineSchedulerList(scheduler, shell);
  defineSchedulerPause(scheduler, shell);
  defineSchedulerResume(scheduler, shell);
  defineSchedulerConfig(scheduler, shell);
}

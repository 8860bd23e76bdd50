import type { Scheduler } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { parseDurationMs } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

interface Options {
  readonly for?: string;
}

/** `rdb scheduler pause NAME` */
export function defineSchedulerPause(parent: Command, shell: Shell): void {
  const command = parent
    .command("pause <name>")
    .description("let a scheduler or checker plan nothing new; what runs goes on")
    .option("--for <time>", "resume by itself after this, such as 10m (default: when it is resumed)");
  defineAction(command, shell, pauseScheduler);
}

/** `rdb scheduler resume NAME` */
export function defineSchedulerResume(parent: Command, shell: Shell): void {
  const command = parent.command("resume <name>").description("let a paused scheduler or checker work again");
  defineAction(command, shell, resumeScheduler);
}

async function pauseScheduler(call: Call<Options>, name: string): Promise<undefined> {
  const { for: time } = call.options;
  const durationMs = BigInt(time === undefined ? 0 : parseDurationMs("for", time));
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { scheduler } = await callPdAdmin(call.globals, (pd, options) =>
    pd.pauseScheduler({ name, durationMs }, options),
  );
  await printScheduler(call, scheduler);
}

async function resumeScheduler(call: Call<unknown>, name: string): Promise<undefined> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { scheduler } = await callPdAdmin(call.globals, (pd, options) =>
    pd.resumeScheduler({ name }, options),
  );
  await printScheduler(call, scheduler);
}

async function printScheduler(call: Call<unknown>, scheduler: Scheduler | undefined): Promise<void> {
  const { pauseText, schedulerDocument } = await import("../../output/schedulers.ts");
  await call.print(scheduler === undefined ? {} : schedulerDocument(scheduler), () =>
    scheduler === undefined ? "" : `${scheduler.name} is ${pauseText(scheduler, Date.now())}\n`,
  );
}

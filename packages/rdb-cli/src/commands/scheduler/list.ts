import type { Command } from "commander";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb scheduler list` */
export function defineSchedulerList(parent: Command, shell: Shell): void {
  const command = parent
    .command("list")
    .description("list schedulers and checkers, what they do and what they last said");
  defineLook(command, shell, listSchedulers);
}

async function listSchedulers(call: Call<unknown>): Promise<undefined> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { renderSchedulers, schedulerDocument } = await import("../../output/schedulers.ts");
  const { schedulers } = await callPdAdmin(call.globals, (pd, options) => pd.listSchedulers({}, options));
  await call.print(schedulers.map(schedulerDocument), () =>
    renderSchedulers(schedulers, { nowMs: Date.now(), ...screenOf(call.io) }),
  );
}

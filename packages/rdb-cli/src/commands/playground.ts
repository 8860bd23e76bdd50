import type { Command } from "commander";
import type { RawPlaygroundOptions } from "../playground/options.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";
import type { ExitCode } from "../failure.ts";

/** `rdb playground` */
export function definePlayground(parent: Command, shell: Shell): void {
  const command = parent
    .command("playground")
    .description("start a cluster on this machine: one placement driver and some Stores, until Ctrl-C")
    .option("--stores <count>", "how many Stores, 1 to 10 (default: 3, or as many as the data folder has)")
    .option("--data <folder>", "where the data lies and stays (default: .flaredb)")
    .option("--tmp", "a temporary data folder, removed at the end")
    .option(
      "--base-port <port>",
      "PD answers here, its HTTP one higher; Stores from 10, their HTTP from 20 higher",
      "7400",
    )
    .option(
      "--initial-regions <keys>",
      'keys at which Regions begin, by comma, such as "m"; at the first start only',
    );
  defineAction(command, shell, playground);
}

async function playground(call: Call<RawPlaygroundOptions>): Promise<ExitCode> {
  const { parsePlaygroundOptions } = await import("../playground/options.ts");
  const options = parsePlaygroundOptions(call.options);
  const { runPlayground } = await import("../playground/playground.ts");
  const { io, globals } = call;
  return runPlayground(options, {
    say: (line) => {
      io.stdout.write(line === "" ? "" : `${line}\n`);
    },
    json: globals.json,
    isInteractive: io.columns !== undefined,
  });
}

import type { Command } from "commander";
import type { RawPlaygroundOptions } from "../playground/options.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";
import type { ExitCode } from "../failure.ts";

const ADD_A_STORE = `
One more Store, while it runs, in another terminal:
  rdb server --data-dir .flaredb-more --port 7419 --http-port 7429
It is started again with the same line. To take it away: rdb store list, rdb store decommission ID.
A playground that is started with a greater --stores has more Stores, too.
`;

/** `rdb playground` */
export function definePlayground(parent: Command, shell: Shell): void {
  const command = parent
    .command("playground")
    .description("start a cluster on this machine: a placement driver and some Stores, until Ctrl-C")
    .option("--stores <count>", "how many Stores, 1 to 10 (default: 3, or as many as the data folder has)")
    .option(
      "--pd-members <count>",
      "members of the placement driver, 1, 3 or 5: three bear the loss of one (default: 1); at the first start only",
    )
    .option("--data <folder>", "where the data lies and stays (default: .flaredb)")
    .option("--tmp", "a temporary data folder, removed at the end")
    .option(
      "--base-port <port>",
      "PD answers here, its HTTP one higher, further members from 2 higher; Stores from 10, their HTTP from 20 higher",
      "7400",
    )
    .option(
      "--initial-regions <keys>",
      'keys at which Regions begin, by comma, such as "m"; at the first start only',
    )
    .option(
      "--bootstrap-stores <count>",
      "so many Stores get the initial Regions, the others fill up later (default: all); at the first start only",
    )
    .option(
      "--region-split-size <size>",
      "a Region that grew to this is split, such as 32MiB (default: 96MiB)",
    )
    .option(
      "--max-store-down-time <time>",
      "a Store that is silent for so long has its peers replaced, such as 10s (default: 10m)",
    )
    .addHelpText("after", ADD_A_STORE);
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

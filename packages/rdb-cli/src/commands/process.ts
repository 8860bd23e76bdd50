import type { Command } from "commander";
import { invalid } from "../input/bytes.ts";

/**
 * `rdb server` and `rdb pd`: listed here for the help alone. They take their own options, so `run` hands the rest of
 * the command line to their own programs before this tree is asked.
 */
export function defineProcess(parent: Command, name: string, description: string): void {
  parent
    .command(`${name} [options...]`)
    .description(description)
    .action(() => {
      throw invalid("usage", `the options of \`rdb ${name}\` stand behind it: rdb ${name} --data-dir DIR …`);
    });
}

import { CommanderError } from "commander";
import { type ExitCode, exitCodes, reportFailure } from "./failure.ts";
import { invalid } from "./input/bytes.ts";
import type { Io } from "./io.ts";
import { buildProgram } from "./program.ts";
import type { Shell } from "./shell.ts";

/**
 * Runs one command line.
 *
 * @param args what follows the program's name
 * @returns what to exit with; nothing is thrown
 */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const json = args.includes("--json");
  const shell: Shell = { io, json, exitCode: exitCodes.done, run };
  const program = buildProgram(shell);
  try {
    await program.parseAsync(args, { from: "user" });
    return shell.exitCode;
  } catch (caught) {
    if (!(caught instanceof CommanderError)) {
      return reportFailure(caught, json, io);
    }
    if (caught.exitCode === 0) {
      return exitCodes.done;
    }
    // commander has said what is wrong, with the usage, unless JSON was asked for.
    return json ? reportFailure(invalid("usage", describe(caught)), json, io) : exitCodes.usage;
  }
}

function describe(error: CommanderError): string {
  return error.code === "commander.help"
    ? "a command must be given: see rdb --help"
    : error.message.replace(/^error: /, "");
}

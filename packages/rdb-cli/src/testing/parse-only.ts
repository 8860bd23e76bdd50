import { type Command, CommanderError } from "commander";
import { exitCodes } from "../failure.ts";
import { buildProgram } from "../program.ts";
import { processIo } from "../io.ts";

/** How strictly a command line is held against the tree of commands. */
export interface ParseOnlyOptions {
  /** It only names a command, as prose does: arguments, subcommands and options that are required may be left out. Default false. */
  readonly isMention?: boolean;
}

/**
 * Reads a command line as `rdb` does, and does nothing.
 *
 * @param args what follows the program's name
 * @returns what is wrong with it, as the program says it; undefined: nothing
 */
export async function parseOnly(
  args: readonly string[],
  { isMention = false }: ParseOnlyOptions = {},
): Promise<string | undefined> {
  const program = buildProgram({
    // What would be written is what commander says of a wrong line: that is returned.
    ...{ io: processIo(), json: true, exitCode: exitCodes.done },
    run: () => Promise.resolve(exitCodes.failed),
  });
  program.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  disarm(program, isMention);
  try {
    await program.parseAsync(args, { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    const isFine = error.exitCode === 0 || (isMention && leftOut.has(error.code));
    return isFine ? undefined : error.message.replace(/^error: /, "");
  }
}

const leftOut: ReadonlySet<string> = new Set(["commander.help", "commander.missingMandatoryOptionValue"]);

/** Options and arguments stay what they are; what the commands do is taken from them. */
function disarm(command: Command, isMention: boolean): void {
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  if (command.commands.length === 0) {
    command.action(() => undefined);
  }
  if (isMention) {
    for (const argument of command.registeredArguments) {
      argument.required = false;
    }
  }
  command.commands.forEach((child) => disarm(child, isMention));
}

import type { Command } from "commander";
import { exitCodes } from "./failure.ts";
import { processIo } from "./io.ts";
import { buildProgram } from "./program.ts";

/** One command as a reader finds it in docs/cli.md. */
export interface CommandReference {
  /** `region list`; empty for the program itself. */
  readonly name: string;
  readonly description: string;
  /** How it is called: `rdb region show <id>`. */
  readonly usage: string;
  readonly options: readonly { readonly flags: string; readonly description: string }[];
  readonly commands: readonly CommandReference[];
}

/** The tree of commands. The options of the program itself are those of every command. */
export function commandReference(): CommandReference {
  const program = buildProgram({
    ...{ io: processIo(), json: false, exitCode: exitCodes.done },
    // Nothing is run: the tree is only looked at.
    run: () => Promise.resolve(exitCodes.failed),
  });
  return referenceOf(program, []);
}

function referenceOf(command: Command, path: readonly string[]): CommandReference {
  const words = command.registeredArguments.map((argument) => {
    const text = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${text}>` : `[${text}]`;
  });
  const children = command.createHelp().visibleCommands(command);
  return {
    name: path.join(" "),
    description: command.description(),
    usage: ["rdb", ...path, ...words].join(" "),
    options: command.options.map(({ flags, description }) => ({ flags, description })),
    commands: children
      .filter((child) => child.name() !== "help")
      .map((child) => referenceOf(child, [...path, child.name()])),
  };
}

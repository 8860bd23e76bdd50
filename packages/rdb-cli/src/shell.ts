import type { Command } from "commander";
import { type ExitCode, exitCodes } from "./failure.ts";
import { type Globals, readGlobals } from "./globals.ts";
import { type Io, write } from "./io.ts";
import { toJsonLine } from "./output/json.ts";

/** One run of the program: what it may touch, and what it will exit with. */
export interface Shell {
  readonly io: Io;
  /** Whether --json was given. Asked before parsing, so that what cannot be parsed is answered in JSON too. */
  readonly json: boolean;
  exitCode: ExitCode;
}

/** What a command's body gets. */
export interface Call<Options> {
  readonly io: Io;
  readonly globals: Globals;
  /** The command's own options, as given. */
  readonly options: Options;
  /** Prints the answer: `document` as one line of JSON with --json, else what `text` makes. */
  print(document: unknown, text: () => string | Promise<string>): Promise<void>;
}

/** Says what a command does when it is called. The body returns what to exit with; nothing: 0. */
export function defineAction<Options, Args extends unknown[]>(
  command: Command,
  shell: Shell,
  body: (call: Call<Options>, ...args: Args) => Promise<ExitCode | undefined>,
): void {
  command.action(async (...all: unknown[]) => {
    // commander calls with the arguments, then the options, then the command.
    const args = all.slice(0, -2) as Args;
    const options = all.at(-2) as Options;
    const { io } = shell;
    const globals = readGlobals(command, io);
    const print: Call<Options>["print"] = async (document, text) =>
      write(io.stdout, globals.json ? toJsonLine(document) : await text());
    shell.exitCode = (await body({ io, globals, options, print }, ...args)) ?? exitCodes.done;
  });
}

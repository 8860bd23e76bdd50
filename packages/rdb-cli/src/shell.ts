import type { Command } from "commander";
import { type ExitCode, exitCodes } from "./failure.ts";
import { type Globals, readGlobals } from "./globals.ts";
import { parseDurationMs } from "./input/numbers.ts";
import { type Io, write } from "./io.ts";
import { toJsonLine } from "./output/json.ts";

/** One run of the program: what it may touch, and what it will exit with. */
export interface Shell {
  readonly io: Io;
  /** Whether --json was given. Asked before parsing, so that what cannot be parsed is answered in JSON too. */
  readonly json: boolean;
  exitCode: ExitCode;
  /** Runs another command line, as if it were the program's: for commands that take commands. */
  readonly run: (args: readonly string[], io: Io) => Promise<ExitCode>;
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

/** How often `--watch` looks unless it is told. */
const WATCH_INTERVAL = "2s";

interface WatchOptions {
  /** true: as often as is usual. */
  readonly watch?: string | true;
}

/** Says what a command does that only looks: with `--watch` it looks again and again. */
export function defineLook<Options, Args extends unknown[]>(
  command: Command,
  shell: Shell,
  body: (call: Call<Options>, ...args: Args) => Promise<ExitCode | undefined>,
): void {
  command.option("--watch [time]", `look again and again, until Ctrl-C (default every ${WATCH_INTERVAL})`);
  defineAction<Options & WatchOptions, Args>(command, shell, async (call, ...args) => {
    const { watch } = call.options;
    if (watch === undefined) {
      return body(call, ...args);
    }
    const everyMs = parseDurationMs("watch", watch === true ? WATCH_INTERVAL : watch);
    const { repeat } = await import("./watch/repeat.ts");
    return repeat(call, { everyMs }, (look) => body(look, ...args));
  });
}

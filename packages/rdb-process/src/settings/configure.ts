import { type RdbError, hasCode } from "@flaredb/rdb-base";
import { exitCodes } from "../exit.ts";
import { readCommandLine } from "./command-line.ts";
import type { Environment } from "./environment.ts";
import { type Origins, configError, problemsOf } from "./issue.ts";
import { renderSettings, settingDocuments } from "./print.ts";
import type { ProgramSettings } from "./program-settings.ts";
import { type Reading, readSettings } from "./reading.ts";

/** A program whose configuration is read and checked. */
export interface Configurable<Config> {
  readonly settings: ProgramSettings;
  /** What `--help` prints. */
  readonly usage: string;
  /** @throws RdbError RDB_CONFIG_INVALID */
  readonly parse: (input: unknown, origins: Origins) => Config;
}

/** Where a start's words come from, and how wide its terminal is. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** undefined: no terminal. */
  readonly columns: number | undefined;
}

/** What a process is to do: start with this configuration; or say something, and end. */
export type Configured<Config> =
  | { readonly kind: "start"; readonly config: Config; readonly reading: Reading }
  | { readonly kind: "end"; readonly stdout: string; readonly stderr: string; readonly exitCode: number };

/**
 * Reads flags, environment and config file. Touches nothing else, no port and no data.
 *
 * @throws RdbError RDB_CONFIG_INVALID when it is to start and cannot
 */
export function configure<Config>(
  program: Configurable<Config>,
  { argv, environment, columns }: Surroundings,
): Configured<Config> {
  const { settings, usage } = program;
  const commandLine = readCommandLine(settings, argv);
  const { action } = commandLine;
  if (action.kind === "help") {
    return said(`${usage}\n`);
  }
  const reading = readSettings(settings, commandLine, environment);
  const outcome = check(program, reading);
  switch (action.kind) {
    case "start":
      if ("error" in outcome) {
        throw outcome.error;
      }
      return { kind: "start", config: outcome.config, reading };
    case "check":
      return "error" in outcome
        ? refused(settings, "", outcome.error)
        : said(`${settings.program}: the configuration is right\n`);
    case "print": {
      const text = action.isJson
        ? `${JSON.stringify(settingDocuments(settings, reading), null, 2)}\n`
        : renderSettings(settings, reading, columns);
      return "error" in outcome ? refused(settings, text, outcome.error) : said(text);
    }
  }
}

/** Says what there is to say, as far as somebody listens. The process ends by itself: nothing was begun. */
export function endWith({ stdout, stderr, exitCode }: Extract<Configured<unknown>, { kind: "end" }>): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", passOverNoReader);
  }
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCode;
}

/** Whoever read a pipe may have enough of it (`--print-config | head`): that is no failure. */
function passOverNoReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") {
    throw error;
  }
}

/** The configuration that a reading makes; or all that is wrong with it, of form and of content. */
function check<Config>(
  { parse }: Configurable<Config>,
  { input, origins, problems, isWhole }: Reading,
): { readonly config: Config } | { readonly error: RdbError } {
  if (!isWhole) {
    return { error: configError(problems) };
  }
  try {
    const config = parse(input, origins);
    return problems.length === 0 ? { config } : { error: configError(problems) };
  } catch (error) {
    if (!hasCode(error, "RDB_CONFIG_INVALID")) {
      throw error;
    }
    return { error: configError([...problems, ...problemsOf(error)]) };
  }
}

function said<Config>(stdout: string): Configured<Config> {
  return { kind: "end", stdout, stderr: "", exitCode: 0 };
}

function refused<Config>(settings: ProgramSettings, stdout: string, error: RdbError): Configured<Config> {
  const lines = problemsOf(error).map((problem) => `  ${problem}\n`);
  const stderr = `${settings.program}: the configuration is wrong:\n${lines.join("")}`;
  return { kind: "end", stdout, stderr, exitCode: exitCodes.wrongUsage };
}

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../source-files.ts";

/** The programs that a deployment starts, by the names that they have there. */
const programs: Readonly<Record<string, string>> = {
  "rdb-pd": "packages/rdb-pd/bin/rdb-pd.mjs",
  "rdb-server": "packages/rdb-server/bin/rdb-server.mjs",
};

/** For tests that start programs: each start takes a second or more where both cores are busy. */
export const STARTS_TIMEOUT_MS = 90_000;

/** A program's settings by name, as it prints them itself. */
export type Settings = Readonly<Record<string, unknown>>;

interface PrintedSetting {
  readonly name: string;
  readonly value: unknown;
}

/**
 * What a program makes of a command line in a deployment file. It runs, with `--print-config`, so that a flag or a
 * setting that it does not know any more fails here.
 *
 * @param command the program's name, then its arguments
 * @param configFiles where the files that `--config` names in the deployment lie in truth
 * @param environment what the deployment file sets beside
 * @throws Error with what the program says of the command line
 */
export async function settingsOf(
  command: readonly string[],
  configFiles: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Settings> {
  const [name = "", ...args] = command;
  const program = programs[name];
  if (program === undefined) {
    throw new Error(`"${command.join(" ")}" starts none of ${Object.keys(programs).join(", ")}`);
  }
  const given = args.map((arg, at) => (args[at - 1] === "--config" ? lookUp(arg, configFiles) : arg));
  const printed = JSON.parse(
    await run([join(root, program), ...given, "--print-config", "--json"], environment),
  );
  return Object.fromEntries((printed as PrintedSetting[]).map((setting) => [setting.name, setting.value]));
}

function lookUp(path: string, files: Readonly<Record<string, string>>): string {
  const file = files[path];
  if (file === undefined) {
    throw new Error(`--config ${path} is none of ${Object.keys(files).join(", ")}`);
  }
  return file;
}

async function run(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    // Nothing of this environment that sets anything.
    env: { PATH: process.env["PATH"], ...environment },
  });
  return stdout;
}

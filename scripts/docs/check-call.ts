import { existsSync, globSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { parseOnly } from "../../packages/rdb-cli/src/testing/parse-only.ts";
import { pdCommandNames } from "../../packages/rdb-cli/src/commands/pd/names.ts";
import { parsePdConfig } from "../../packages/rdb-pd/src/config.ts";
import { pdSettings, usage as pdUsage } from "../../packages/rdb-pd/src/flags.ts";
import { configure } from "../../packages/rdb-process/src/index.ts";
import { parseStoreConfig } from "../../packages/rdb-server/src/config.ts";
import { storeSettings, usage as storeUsage } from "../../packages/rdb-server/src/flags.ts";
import { root, sourceFiles } from "../source-files.ts";
import { composeProblem, kubectlProblem } from "./deploy-calls.ts";
import { flagProblem, npmScripts } from "./npm-scripts.ts";

/** How a call is held against what there is. */
export interface CheckOptions {
  /** Prose names it: arguments may be left out. Default false. */
  readonly isMention?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

type Check = (
  args: readonly string[],
  options: CheckOptions,
) => Promise<string | undefined> | string | undefined;

/** Where deploy/README.md puts the config files of systemd's units. */
const installed: readonly (readonly [RegExp, string])[] = [
  [/^\/etc\/flaredb\/(?=\w+\.json$)/, join(root, "deploy", "systemd", "/")],
];

/** What makes a call right, for each program that documents call. */
const checks: Readonly<Record<string, Check>> = {
  rdb: rdbProblem,
  "rdb-server": (args, options) => configProblem("server", args, options),
  "rdb-pd": (args, options) => configProblem("pd", args, options),
  npm: npmProblem,
  npx: ([program, ...args], options) =>
    program === "vitest" ? vitestProblem(args) : callProblem([program ?? "", ...args], options),
  "docker-compose": (args, options) => composeProblem(args, (words) => callProblem(words, options)),
  docker: dockerProblem,
  kubectl: (args, options) => kubectlProblem(args, (words) => callProblem(words, options)),
  curl: curlProblem,
  pnpm: (args) => (args.join(" ") === "fetch --ignore-scripts" ? undefined : "no call of the image's build"),
  runuser: (args, options) => callProblem(args.slice(args.indexOf("--") + 1), options),
  systemctl: unitProblem,
  node: ([file = "", ...args]) => flagProblem(file, args),
  // Of the system, with files of ours: those are looked for.
  ...Object.fromEntries(
    ["sh", "mv", "install", "useradd", "export", "$EDITOR", "kill"].map((name) => [name, () => undefined]),
  ),
};

/**
 * Holds a call against the program that it names, without doing what it says: flags, commands, files.
 *
 * @returns what is wrong; undefined: nothing
 */
export async function callProblem(
  words: readonly string[],
  options: CheckOptions = {},
): Promise<string | undefined> {
  const [program = "", ...args] = words;
  const missing = words.find((word) => isRepositoryPath(word) && globSync(word, { cwd: root }).length === 0);
  if (missing !== undefined) {
    return `there is no ${missing}`;
  }
  if (program.includes("/") && !program.startsWith("/")) {
    return existsSync(join(root, program)) ? undefined : `there is no ${program}`;
  }
  const check = checks[basename(program)];
  return check === undefined ? `nothing is known of ${program}` : check(args, options);
}

function isRepositoryPath(word: string): boolean {
  return /^(deploy|docs|e2e|examples|packages|scripts)\//.test(word) && word !== "docs/chaos.svg";
}

async function rdbProblem(
  [first, ...rest]: readonly string[],
  options: CheckOptions,
): Promise<string | undefined> {
  const args = first === undefined ? [] : [first, ...rest];
  if (first === "server" || (first === "pd" && !pdCommandNames.has(rest[0] ?? ""))) {
    return rest.length === 0 && options.isMention === true ? undefined : configProblem(first, rest, options);
  }
  return parseOnly(args, { isMention: options.isMention ?? false });
}

const programs = {
  server: { settings: storeSettings, usage: storeUsage, parse: parseStoreConfig },
  pd: { settings: pdSettings, usage: pdUsage, parse: parsePdConfig },
};

function configProblem(
  kind: "server" | "pd",
  args: readonly string[],
  { environment = {} }: CheckOptions,
): string | undefined {
  const argv = args.map((arg) => installed.reduce((path, [from, to]) => path.replace(from, to), arg));
  const action = argv.some((arg) => /^--(help|print-config|check-config)$/.test(arg))
    ? []
    : ["--check-config"];
  try {
    const surroundings = { argv: [...argv, ...action], environment, columns: undefined };
    const outcome = configure<unknown>(programs[kind], surroundings);
    return outcome.kind === "end" && outcome.exitCode !== 0 ? outcome.stderr : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function npmProblem(
  [command = "", ...args]: readonly string[],
  options: CheckOptions,
): Promise<string | undefined> {
  if (command === "install") {
    const [, pnpm] =
      /PNPM = "(pnpm@[\d.]+)"/.exec(readFileSync(join(root, "scripts", "workspace.mjs"), "utf8")) ?? [];
    return args.join(" ") === `--global ${pnpm ?? ""}`
      ? undefined
      : `the workspace is installed by ${pnpm ?? ""}`;
  }
  const [name, ...more] = command === "run" ? args.filter((arg) => arg !== "-s") : [command, ...args];
  const script = npmScripts[name ?? ""];
  if (script === undefined) {
    return `there is no npm script ${name ?? ""}`;
  }
  if (more.length > 0 && more[0] !== "--") {
    return "npm takes the options for itself: they stand behind --";
  }
  const given = more.slice(1);
  if (command === "start") {
    return rdbProblem(["playground", ...given], options);
  }
  if (command === "test") {
    return vitestProblem(["run", ...given]);
  }
  const words = script.split(" ");
  const file = words.findIndex((word) => /\.(ts|mjs)$/.test(word));
  if (words[file] === "packages/rdb-cli/bin/rdb.mjs") {
    return rdbProblem([...words.slice(file + 1), ...given], options);
  }
  return words[0] === "node"
    ? flagProblem(words[file] as string, [...words.slice(file + 1), ...given])
    : given.length > 0
      ? `npm run ${name ?? ""} takes no options`
      : undefined;
}

let tests: readonly string[] | undefined;

/** `run`, then parts of paths of tests. */
function vitestProblem([command, ...patterns]: readonly string[]): string | undefined {
  tests ??= sourceFiles().flatMap(({ path, isTest }) => (isTest ? [path] : []));
  const empty = patterns.find((pattern) => !tests?.some((test) => test.includes(pattern)));
  return command !== "run"
    ? "vitest run"
    : empty === undefined
      ? undefined
      : `no test has ${empty} in its path`;
}

function dockerProblem([command, ...args]: readonly string[]): string | undefined {
  if (command !== "build") {
    return command === "volume" ? undefined : `docker ${command ?? ""} is not known here`;
  }
  const options = {
    file: { type: "string", short: "f" },
    tag: { type: "string", short: "t" },
    "build-arg": { type: "string", multiple: true },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const isThere = existsSync(join(root, values.file ?? "Dockerfile"));
  return isThere && positionals.join() === "."
    ? undefined
    : "the image is built from the root of the repository";
}

function unitProblem(args: readonly string[]): string | undefined {
  const units = readdirSync(join(root, "deploy", "systemd")).map((name) => name.replace(/\.service$/, ""));
  const [command = "", ...rest] = args;
  const names = rest.filter((word) => !word.startsWith("--"));
  const unknown = names.find((name) => !units.includes(name));
  const isKnown = ["daemon-reload", "enable", "restart", "reload", "stop", "start"].includes(command);
  return isKnown ? unknown && `there is no unit ${unknown}` : `systemctl ${command} is not known here`;
}

function curlProblem(args: readonly string[]): string | undefined {
  try {
    const { positionals } = curlArguments(args);
    return positionals.length === 1 ? undefined : "curl is given one address";
  } catch (error) {
    return (error as Error).message;
  }
}

/** @throws TypeError for a flag that is not read here */
export function curlArguments(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      request: { type: "string", short: "X" },
      header: { type: "string", short: "H", multiple: true },
      data: { type: "string", short: "d" },
      cacert: { type: "string" },
      cert: { type: "string" },
      key: { type: "string" },
    },
    allowPositionals: true,
  });
}

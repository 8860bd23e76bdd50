import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readFlags as readSimFlags } from "../../packages/rdb-sim/src/run/flags.ts";
import { readMutantFlags } from "../../packages/rdb-sim/src/mutants/mutant-flags.ts";
import { mutants } from "../../packages/rdb-sim/src/mutants/mutants.ts";
import { root, sourceFiles } from "../source-files.ts";

/** The npm scripts of the repository, by name. */
export const npmScripts = (
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> }
).scripts;

/** Programs whose flags are read by a function of its own, which is asked itself. */
const readers: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  "packages/rdb-sim/src/main.ts": (args) => readSimFlags(args),
  "scripts/mutants.ts": (args) => readMutantFlags(args, mutants),
};

/**
 * Holds arguments against what a program of the repository takes. Its `parseArgs` is read out of its source: to start
 * it would be to do what it does.
 *
 * @param file from the root
 * @returns what is wrong; undefined: nothing
 */
export function flagProblem(file: string, args: readonly string[]): string | undefined {
  const source = readFileSync(join(root, file), "utf8");
  const call = /parseArgs\((\{[\s\S]*?\n\s*\}|\{.*\})\)/.exec(source)?.[1];
  const read =
    readers[file] ??
    (call === undefined ? undefined : () => void parseArgs({ args: [...args], ...optionsOf(call) }));
  if (read === undefined) {
    return args.length === 0 ? undefined : `${file} takes no arguments`;
  }
  try {
    read(args);
  } catch (error) {
    return (error as Error).message;
  }
  return unknownName(source, args);
}

function optionsOf(
  call: string,
): Pick<Parameters<typeof parseArgs>[0] & object, "options" | "allowPositionals"> {
  const options = [...call.matchAll(/"?([\w-]+)"?: \{ type: "(string|boolean)"(?:, short: "(\w)")?/g)].map(
    ([, name = "", type = "", short]) =>
      [name, { type: type as "string" | "boolean", ...(short === undefined ? {} : { short }) }] as const,
  );
  return { options: Object.fromEntries(options), allowPositionals: call.includes("allowPositionals: true") };
}

/** What `--only` names has to be there: as a file beside the program, or in its text. */
function unknownName(source: string, args: readonly string[]): string | undefined {
  const names = args[args.indexOf("--only") + 1]?.split(",") ?? [];
  const isNamed = (name: string): boolean =>
    source.includes(`"${name}"`) ||
    allSources().some((text) => text.includes(`name: "${name}"`) || text.includes(`name = "${name}"`));
  return args.includes("--only") ? names.find((name) => !isNamed(name)) : undefined;
}

let cached: readonly string[] | undefined;

function allSources(): readonly string[] {
  cached ??= sourceFiles().map(({ text }) => text);
  return cached;
}

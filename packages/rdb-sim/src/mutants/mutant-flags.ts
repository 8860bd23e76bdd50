import { parseArgs } from "node:util";
import { UsageError } from "../run/flags.ts";
import type { Mutant } from "./mutant.ts";

const options = {
  only: { type: "string", multiple: true },
  list: { type: "boolean" },
  seeds: { type: "string" },
  from: { type: "string" },
  baseline: { type: "string" },
  jobs: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export const mutantUsage = `Usage: npm run mutants -- [options]

Plants each bug of a table in a copy of the sources, and hunts it with the data-driven files and the simulator.

  --list         the table, and no hunt
  --only NAME    this mutant alone; may be repeated
  --seeds MAX    seeds that the simulator may take for each (300)
  --from S       the first of them (1)
  --baseline N   how many of them the sources must pass before anything is planted (10)
  --jobs N       mutants that are hunted at the same time (1)

  -h, --help     this text

Exit code: 0 all were caught, 1 one survived, 2 the command line is wrong, the table does not fit the sources any
more, or the sources do not pass without a mutant.`;

/** What the command line asks for. */
export type MutantInvocation =
  | { readonly kind: "help" }
  | { readonly kind: "list"; readonly mutants: readonly Mutant[] }
  | {
      readonly kind: "hunt";
      readonly mutants: readonly Mutant[];
      readonly firstSeed: number;
      readonly seedCount: number;
      readonly baselineSeedCount: number;
      readonly jobCount: number;
    };

const SEEDS_MAX_COUNT = 1_000_000;
const JOBS_MAX_COUNT = 64;

/** @throws UsageError */
export function readMutantFlags(argv: readonly string[], table: readonly Mutant[]): MutantInvocation {
  const values = parse(argv);
  if (values.help === true) {
    return { kind: "help" };
  }
  const mutants = choose(table, values.only);
  if (values.list === true) {
    return { kind: "list", mutants };
  }
  return {
    kind: "hunt",
    mutants,
    firstSeed: integer("from", values.from ?? "1", 0, 2 ** 32 - SEEDS_MAX_COUNT),
    seedCount: integer("seeds", values.seeds ?? "300", 1, SEEDS_MAX_COUNT),
    baselineSeedCount: integer("baseline", values.baseline ?? "10", 0, SEEDS_MAX_COUNT),
    jobCount: integer("jobs", values.jobs ?? "1", 1, JOBS_MAX_COUNT),
  };
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options }>>["values"] {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function choose(table: readonly Mutant[], names: readonly string[] | undefined): readonly Mutant[] {
  if (names === undefined) {
    return table;
  }
  const unknown = names.find((name) => !table.some((mutant) => mutant.name === name));
  if (unknown !== undefined) {
    throw new UsageError(`--only ${unknown} names no mutant: see --list`);
  }
  return table.filter(({ name }) => names.includes(name));
}

function integer(name: string, text: string, atLeast: number, atMost: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < atLeast || value > atMost) {
    throw new UsageError(`--${name} ${text} must be an integer from ${atLeast} to ${atMost}`);
  }
  return value;
}

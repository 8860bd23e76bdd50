import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { SEED_BOUND } from "../faults/plan.ts";

const options = {
  seeds: { type: "string" },
  from: { type: "string" },
  jobs: { type: "string" },
  "keep-going": { type: "boolean" },
  seed: { type: "string" },
  minimise: { type: "string" },
  plan: { type: "string" },
  history: { type: "string" },
  quiet: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export const usage = `Usage: npm run sim -- [options]

Whole clusters on simulated clock, network and disks, under faults; one seed decides all that happens.

  --seeds N        try so many seeds, one after the other (100)
  --from S         the first of them; a random one by default
  --jobs N         seeds that run at the same time (one for each core)
  --keep-going     go on after a violation

  --seed S         replay one seed, with a line for each message, fault, write and call
  --minimise S     look for the fewest and shortest faults that end in the same violation
  --plan FILE      replay a plan that --minimise printed
  --quiet          replay without those lines
  --history FILE   write what the clients did as JSON lines (with --seed, --minimise or --plan)

  -h, --help       this text

Exit code: 0 nothing was violated, 1 something was, 2 the command line is wrong.`;

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "help" }
  | {
      readonly kind: "hunt";
      readonly seedCount: number;
      /** Undefined: a random one. */
      readonly firstSeed: number | undefined;
      readonly jobCount: number;
      readonly keepGoing: boolean;
    }
  | {
      readonly kind: "replay";
      readonly source: { readonly seed: number } | { readonly planFile: string };
      readonly isQuiet: boolean;
      readonly historyFile: string | undefined;
    }
  | { readonly kind: "minimise"; readonly seed: number; readonly historyFile: string | undefined };

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

const DEFAULT_SEED_COUNT = 100;
const SEEDS_MAX_COUNT = 10_000_000;
const JOBS_MAX_COUNT = 256;
/** Each of these asks for something else. */
const modes = ["seeds", "seed", "minimise", "plan"] as const;
/** What makes sense with which mode only. */
const companions: Readonly<Record<string, readonly (typeof modes)[number][]>> = {
  from: ["seeds"],
  jobs: ["seeds"],
  "keep-going": ["seeds"],
  history: ["seed", "minimise", "plan"],
  quiet: ["seed", "plan"],
};

/** @throws UsageError */
export function readFlags(argv: readonly string[]): Invocation {
  const values = parse(argv);
  if (values.help === true) {
    return { kind: "help" };
  }
  const asked = modes.filter((mode) => values[mode] !== undefined);
  if (asked.length > 1) {
    throw new UsageError(`${asked.map((mode) => `--${mode}`).join(" and ")} exclude each other`);
  }
  const mode = asked[0] ?? "seeds";
  for (const [name, allowed] of Object.entries(companions)) {
    if (values[name as keyof typeof values] !== undefined && !allowed.includes(mode)) {
      throw new UsageError(`--${name} goes with ${allowed.map((one) => `--${one}`).join(", ")} only`);
    }
  }
  const historyFile = values.history;
  const isQuiet = values.quiet === true;
  switch (mode) {
    case "seed":
      return { kind: "replay", source: { seed: seed("seed", values.seed) }, isQuiet, historyFile };
    case "plan":
      return { kind: "replay", source: { planFile: values.plan ?? "" }, isQuiet, historyFile };
    case "minimise":
      return { kind: "minimise", seed: seed("minimise", values.minimise), historyFile };
    case "seeds":
      return {
        kind: "hunt",
        seedCount: integer("seeds", values.seeds ?? String(DEFAULT_SEED_COUNT), 1, SEEDS_MAX_COUNT),
        firstSeed: values.from === undefined ? undefined : seed("from", values.from),
        jobCount: integer("jobs", values.jobs ?? String(availableParallelism()), 1, JOBS_MAX_COUNT),
        keepGoing: values["keep-going"] === true,
      };
  }
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options }>>["values"] {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function seed(name: string, text: string | undefined): number {
  return integer(name, text, 0, SEED_BOUND - 1);
}

function integer(name: string, text: string | undefined, atLeast: number, atMost: number): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value < atLeast || value > atMost) {
    throw new UsageError(`--${name} ${text ?? ""} must be an integer from ${atLeast} to ${atMost}`);
  }
  return value;
}

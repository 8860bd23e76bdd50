import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Seeds that follow one another. */
export interface SeedRange {
  readonly first: number;
  readonly count: number;
}

/** The seed that saw something, and what. */
export interface Sighting {
  readonly seed: number;
  /** The invariant that was violated. */
  readonly what: string;
}

/** What looks at a tree of sources, from outside: each look is a process of its own, run from that tree. */
export interface Instruments {
  /** @returns the first of the data-driven files that differs, or undefined when all pass */
  conformance(treePath: string): Promise<string | undefined>;
  /** @returns the first seed that is violated, or undefined when none is */
  simulate(treePath: string, seeds: SeedRange, onSeed: () => void): Promise<Sighting | undefined>;
  /** Ends every look that is taken now, with whatever result. */
  stop(): void;
}

const CONFORMANCE = ["scripts/conformance.ts", "packages/rdb-raft/testdata"] as const;
const SIMULATOR = "packages/rdb-sim/src/mutants/seeds-child.ts";
/** No data-driven file takes a second: a core that loops has been seen. */
const CONFORMANCE_MAX_MS = 60_000;
/** What is kept of a process's errors, to be shown when it ends badly. */
const ERRORS_MAX_LENGTH = 2_000;

/** The instruments of the repository. */
export class ProcessInstruments implements Instruments {
  readonly #children = new Set<ChildProcess>();

  async conformance(treePath: string): Promise<string | undefined> {
    let firstDifference: string | undefined;
    const child = this.#start(treePath, CONFORMANCE);
    const timer = setTimeout(() => child.kill("SIGKILL"), CONFORMANCE_MAX_MS);
    const { exitCode, errors } = await this.#read(child, (line) => {
      firstDifference ??= /^--- (.*?):/.exec(line)?.[1];
    });
    clearTimeout(timer);
    if (exitCode === 0) {
      return undefined;
    }
    return firstDifference ?? `the run ended with ${exitCode ?? "a signal"}: ${firstLine(errors)}`;
  }

  async simulate(treePath: string, seeds: SeedRange, onSeed: () => void): Promise<Sighting | undefined> {
    let sighting: Sighting | undefined;
    let triedCount = 0;
    const child = this.#start(treePath, [SIMULATOR, String(seeds.first), String(seeds.count)]);
    const { exitCode, errors } = await this.#read(child, (line) => {
      const { seed, violation } = JSON.parse(line) as { readonly seed: number; readonly violation?: string };
      triedCount++;
      onSeed();
      if (violation !== undefined) {
        sighting = { seed, what: violation };
      }
    });
    if (sighting === undefined && exitCode !== 0) {
      // The seed after the last verdict brought the whole process down.
      return {
        seed: seeds.first + triedCount,
        what: `the simulator ended with ${exitCode ?? "a signal"}: ${firstLine(errors)}`,
      };
    }
    return sighting;
  }

  stop(): void {
    for (const child of this.#children) {
      child.kill("SIGKILL");
    }
  }

  #start(treePath: string, args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, args, { cwd: treePath, stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    return child;
  }

  /** Reads a process's lines until it has ended. */
  async #read(
    child: ChildProcess,
    onLine: (line: string) => void,
  ): Promise<{ readonly exitCode: number | null; readonly errors: string }> {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) {
      throw new Error("an instrument's output is piped");
    }
    let errors = "";
    stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-ERRORS_MAX_LENGTH);
    });
    const lines = createInterface({ input: stdout }).on("line", onLine);
    const read = new Promise<void>((resolve) => lines.once("close", resolve));
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("close", resolve);
      child.once("error", reject);
    });
    await read;
    this.#children.delete(child);
    return { exitCode, errors };
  }
}

function firstLine(errors: string): string {
  return (
    errors
      .split("\n")
      .find((line) => /\bError\b/.test(line))
      ?.trim() ?? "no message"
  );
}

import { UsageError } from "../run/flags.ts";
import { type HuntOptions, huntMutants, VoidHuntError } from "./hunter.ts";
import { ProcessInstruments } from "./instruments.ts";
import { EditError, type Mutant } from "./mutant.ts";
import { type MutantInvocation, mutantUsage, readMutantFlags } from "./mutant-flags.ts";
import { mutants as table } from "./mutants.ts";
import { formatMutants, formatOutcome, formatReport } from "./report.ts";
import { ScratchTree } from "./scratch-tree.ts";

/** Where the program speaks. */
export interface MutantsOutput {
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Overwrites itself, on a terminal; elsewhere it is left out. */
  readonly showProgress: (line: string) => void;
}

/** `npm run mutants`. Resolves with the exit code. @param root the work tree, which is only read */
export async function runMutants(
  argv: readonly string[],
  { root, output }: { readonly root: string; readonly output: MutantsOutput },
): Promise<number> {
  try {
    const invocation = readMutantFlags(argv, table);
    switch (invocation.kind) {
      case "help":
        output.print(mutantUsage);
        return 0;
      case "list":
        output.print(formatMutants(invocation.mutants));
        return 0;
      case "hunt":
        return await hunt(invocation, root, output);
    }
  } catch (error) {
    if (error instanceof UsageError || error instanceof EditError || error instanceof VoidHuntError) {
      output.printError(error.message);
      return 2;
    }
    throw error;
  }
}

async function hunt(
  invocation: Extract<MutantInvocation, { kind: "hunt" }>,
  root: string,
  output: MutantsOutput,
): Promise<number> {
  const instruments = new ProcessInstruments();
  const trees: ScratchTree[] = [];
  const onSignal = (): void => {
    instruments.stop();
    for (const tree of trees) {
      tree.removeSync();
    }
    process.exit(130);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    const clean = await ScratchTree.copyOf(root);
    trees.push(clean);
    checkTable(clean);
    for (let job = 0; job < invocation.jobCount; job++) {
      // Of the clean copy: the work tree may change meanwhile.
      trees.push(await ScratchTree.copyOf(clean.path));
    }
    const { mutants } = invocation;
    const outcomes = await huntMutants({
      ...optionsOf(invocation, output),
      cleanTreePath: clean.path,
      trees: trees.slice(1),
      instruments,
    });
    output.print(`\n${formatReport(mutants, outcomes)}`);
    return outcomes.every(({ by }) => by !== undefined) ? 0 : 1;
  } finally {
    instruments.stop();
    await Promise.all(trees.map((tree) => tree.remove()));
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

function optionsOf(
  { mutants, firstSeed, seedCount, baselineSeedCount }: Extract<MutantInvocation, { kind: "hunt" }>,
  output: MutantsOutput,
): Omit<HuntOptions, "cleanTreePath" | "trees" | "instruments"> {
  return {
    mutants,
    seeds: { first: firstSeed, count: seedCount },
    baselineSeedCount,
    nowMs: () => performance.now(),
    onSeed: (mutant: Mutant | undefined, triedCount) =>
      output.showProgress(`${mutant?.name ?? "no mutant"}: ${triedCount} seeds`),
    onOutcome: (mutant, outcome) => output.print(formatOutcome(mutant, outcome)),
  };
}

/** The whole table, whichever mutants are hunted: a row that fits no more is found at once. */
function checkTable(clean: ScratchTree): void {
  for (const mutant of table) {
    clean.plant(mutant);
    clean.restore();
  }
}

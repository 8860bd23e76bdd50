import type { Instruments, SeedRange, Sighting } from "./instruments.ts";
import type { Mutant } from "./mutant.ts";

/** How the hunt for one mutant ended. */
export type Outcome =
  | { readonly by: "conformance"; readonly what: string; readonly realMs: number }
  | {
      readonly by: "simulator";
      /** How many seeds it took, the last one being `seed`. */
      readonly seedCount: number;
      readonly seed: number;
      readonly what: string;
      readonly realMs: number;
    }
  | { readonly by: undefined; readonly seedCount: number; readonly realMs: number };

/** The sources without any mutant are not clean: what a hunt on them would say means nothing. */
export class VoidHuntError extends Error {
  override readonly name = "VoidHuntError";
}

/** A tree in which a mutant can be planted. */
export interface MutantTree {
  readonly path: string;
  plant(mutant: Mutant): void;
  restore(): void;
}

export interface HuntOptions {
  readonly mutants: readonly Mutant[];
  /** Never mutated. */
  readonly cleanTreePath: string;
  /** One for each hunt that goes on at the same time. */
  readonly trees: readonly MutantTree[];
  readonly instruments: Instruments;
  /** Tried on each mutant until one sees it. */
  readonly seeds: SeedRange;
  /** How many of them the clean tree must pass before anything is planted. */
  readonly baselineSeedCount: number;
  /** Real time, from any start. */
  readonly nowMs: () => number;
  readonly onSeed: (mutant: Mutant | undefined, triedCount: number) => void;
  readonly onOutcome: (mutant: Mutant, outcome: Outcome) => void;
}

/**
 * Hunts each mutant with its instruments until one sees it.
 *
 * A catch counts only if the clean tree passes the very same thing: all data-driven files before the hunt begins, and
 * each seed that caught a mutant.
 *
 * @returns the outcomes, in the order of the mutants
 * @throws VoidHuntError when the clean tree does not pass
 */
export async function huntMutants(options: HuntOptions): Promise<Outcome[]> {
  await checkBaseline(options);
  const cleanSeeds = new CleanSeeds(options);
  const outcomes: Outcome[] = [];
  const queue = [...options.mutants.entries()];
  let isStopped = false;
  const work = async (tree: MutantTree): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [place, mutant] = next;
      const outcome = await huntOne(options, tree, mutant);
      if (isStopped) {
        // What ended it was no mutant.
        return;
      }
      if (outcome.by === "simulator") {
        await cleanSeeds.check(outcome.seed);
      }
      outcomes[place] = outcome;
      options.onOutcome(mutant, outcome);
    }
  };
  await allOrStop(options.trees.map(work), () => {
    isStopped = true;
    queue.length = 0;
    options.instruments.stop();
  });
  return outcomes;
}

/** Waits for all, also after one has failed: they still use their trees. @throws what failed first */
async function allOrStop(works: readonly Promise<void>[], stop: () => void): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  const watched = works.map((work) =>
    work.catch((error: unknown) => {
      failure ??= { error };
      stop();
    }),
  );
  await Promise.all(watched);
  if (failure !== undefined) {
    throw failure.error;
  }
}

async function huntOne(options: HuntOptions, tree: MutantTree, mutant: Mutant): Promise<Outcome> {
  const { nowMs, seeds } = options;
  const startedMs = nowMs();
  const realMs = (): number => nowMs() - startedMs;
  tree.plant(mutant);
  try {
    if (mutant.seenBy.includes("conformance")) {
      const what = await options.instruments.conformance(tree.path);
      if (what !== undefined) {
        return { by: "conformance", what, realMs: realMs() };
      }
    }
    if (!mutant.seenBy.includes("simulator")) {
      return { by: undefined, seedCount: 0, realMs: realMs() };
    }
    const sighting = await simulate(options, tree.path, mutant);
    return sighting === undefined
      ? { by: undefined, seedCount: seeds.count, realMs: realMs() }
      : { by: "simulator", seedCount: sighting.seed - seeds.first + 1, ...sighting, realMs: realMs() };
  } finally {
    tree.restore();
  }
}

function simulate(options: HuntOptions, treePath: string, mutant: Mutant): Promise<Sighting | undefined> {
  let triedCount = 0;
  return options.instruments.simulate(treePath, options.seeds, () => options.onSeed(mutant, ++triedCount));
}

/** The clean tree passes all data-driven files and the first few seeds. */
async function checkBaseline(options: HuntOptions): Promise<void> {
  const { instruments, cleanTreePath, mutants } = options;
  const isWanted = (name: Mutant["seenBy"][number]): boolean =>
    mutants.some(({ seenBy }) => seenBy.includes(name));
  if (isWanted("conformance")) {
    const what = await instruments.conformance(cleanTreePath);
    if (what !== undefined) {
      throw new VoidHuntError(`without any mutant the data-driven files do not pass: ${what}`);
    }
  }
  const count = Math.min(options.baselineSeedCount, options.seeds.count);
  if (isWanted("simulator") && count > 0) {
    let triedCount = 0;
    const seeds = { first: options.seeds.first, count };
    const sighting = await instruments.simulate(cleanTreePath, seeds, () =>
      options.onSeed(undefined, ++triedCount),
    );
    failOn(sighting);
  }
}

/** Seeds that caught a mutant, tried without one: each once. */
class CleanSeeds {
  readonly #options: HuntOptions;
  readonly #tried = new Map<number, Promise<void>>();

  constructor(options: HuntOptions) {
    this.#options = options;
  }

  check(seed: number): Promise<void> {
    const { baselineSeedCount, seeds } = this.#options;
    if (seed < seeds.first + baselineSeedCount) {
      return Promise.resolve();
    }
    const known = this.#tried.get(seed) ?? this.#try(seed);
    this.#tried.set(seed, known);
    return known;
  }

  async #try(seed: number): Promise<void> {
    const { instruments, cleanTreePath } = this.#options;
    failOn(await instruments.simulate(cleanTreePath, { first: seed, count: 1 }, () => {}));
  }
}

function failOn(sighting: Sighting | undefined): void {
  if (sighting !== undefined) {
    throw new VoidHuntError(`without any mutant seed ${sighting.seed} is violated: ${sighting.what}`);
  }
}

import { describe, expect, test } from "vitest";
import { type HuntOptions, huntMutants, type MutantTree, type Outcome } from "./hunter.ts";
import type { Instruments, SeedRange, Sighting } from "./instruments.ts";
import type { Mutant } from "./mutant.ts";
import { formatOutcome, formatReport } from "./report.ts";

const CLEAN = "clean";

function mutant(name: string, seenBy: Mutant["seenBy"]): Mutant {
  return { name, breaks: `${name} breaks`, edits: [{ file: "a.ts", find: "a", replace: "b" }], seenBy };
}

const core = mutant("core", ["conformance", "simulator"]);
const deep = mutant("deep", ["conformance", "simulator"]);
const store = mutant("store", ["simulator"]);
const shy = mutant("shy", ["simulator"]);

/** A tree that knows what is planted in it. */
class FakeTree implements MutantTree {
  readonly path: string;
  planted: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  plant({ name }: Mutant): void {
    expect(this.planted).toBeUndefined();
    this.planted = name;
  }

  restore(): void {
    this.planted = undefined;
  }
}

interface FakeSights {
  /** Mutants that differ in a data-driven file. */
  readonly files?: Readonly<Record<string, string>>;
  /** The seeds that see a mutant. */
  readonly seeds?: Readonly<Record<string, readonly number[]>>;
}

/** Instruments that see what they are told to see; `clean` stands for the tree without a mutant. */
class FakeInstruments implements Instruments {
  readonly log: string[] = [];
  readonly #trees: readonly FakeTree[];
  readonly #sights: FakeSights;

  constructor(trees: readonly FakeTree[], sights: FakeSights) {
    this.#trees = trees;
    this.#sights = sights;
  }

  conformance(treePath: string): Promise<string | undefined> {
    const name = this.#plantedIn(treePath);
    this.log.push(`files on ${name}`);
    return Promise.resolve(this.#sights.files?.[name]);
  }

  simulate(treePath: string, { first, count }: SeedRange, onSeed: () => void): Promise<Sighting | undefined> {
    const name = this.#plantedIn(treePath);
    this.log.push(`seeds ${first}+${count} on ${name}`);
    for (let seed = first; seed < first + count; seed++) {
      onSeed();
      if (this.#sights.seeds?.[name]?.includes(seed) === true) {
        return Promise.resolve({ seed, what: "an invariant" });
      }
    }
    return Promise.resolve(undefined);
  }

  stop(): void {
    this.log.push("stop");
  }

  #plantedIn(treePath: string): string {
    return this.#trees.find(({ path }) => path === treePath)?.planted ?? CLEAN;
  }
}

function options(trees: readonly FakeTree[], instruments: Instruments): Omit<HuntOptions, "mutants"> {
  return {
    cleanTreePath: CLEAN,
    trees,
    instruments,
    seeds: { first: 7, count: 20 },
    baselineSeedCount: 3,
    nowMs: () => 0,
    onSeed: () => {},
    onOutcome: () => {},
  };
}

async function hunt(
  mutants: readonly Mutant[],
  sights: FakeSights,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly log: readonly string[] }> {
  const trees = [new FakeTree("one"), new FakeTree("two")];
  const instruments = new FakeInstruments(trees, sights);
  const outcomes = await huntMutants({ ...options(trees, instruments), mutants });
  expect(trees.map(({ planted }) => planted)).toEqual([undefined, undefined]);
  return { outcomes, log: instruments.log };
}

describe("a hunt", () => {
  test("tries the data-driven files first, and seeds where they see nothing", async () => {
    const { outcomes, log } = await hunt([core, deep, store], {
      files: { core: "quorum/a.txt" },
      seeds: { deep: [7], store: [8, 9] },
    });
    expect(outcomes).toMatchObject([
      { by: "conformance", what: "quorum/a.txt" },
      { by: "simulator", seed: 7, seedCount: 1, what: "an invariant" },
      { by: "simulator", seed: 8, seedCount: 2 },
    ]);
    expect(log.filter((line) => line.endsWith("core"))).toEqual(["files on core"]);
    expect(log.filter((line) => line.endsWith("store"))).toEqual(["seeds 7+20 on store"]);
  });

  test("says who survived all seeds", async () => {
    const { outcomes } = await hunt([shy], {});
    expect(outcomes).toMatchObject([{ by: undefined, seedCount: 20 }]);
  });

  test("is void when the sources do not pass the data-driven files without a mutant", async () => {
    await expect(hunt([core], { files: { [CLEAN]: "quorum/a.txt" } })).rejects.toThrow(
      "without any mutant the data-driven files do not pass: quorum/a.txt",
    );
  });

  test("is void when the sources do not pass the first seeds without a mutant", async () => {
    await expect(hunt([store], { seeds: { [CLEAN]: [9] } })).rejects.toThrow(
      "without any mutant seed 9 is violated: an invariant",
    );
  });

  test("is void when a seed that caught a mutant is violated without it, too", async () => {
    const sights = { seeds: { store: [15], [CLEAN]: [15] } };
    await expect(hunt([store], sights)).rejects.toThrow("without any mutant seed 15 is violated");
  });

  test("that is void ends what else is under way first", async () => {
    const trees = [new FakeTree("one"), new FakeTree("two")];
    const instruments = new FakeInstruments(trees, { seeds: { store: [15], [CLEAN]: [15] } });
    const { promise: stopped, resolve: onStop } = Promise.withResolvers<undefined>();
    const simulate = instruments.simulate.bind(instruments);
    instruments.simulate = (treePath, seeds, onSeed) =>
      treePath === "two" ? stopped : simulate(treePath, seeds, onSeed);
    instruments.stop = () => onStop(undefined);
    const told: string[] = [];
    const onOutcome = ({ name }: Mutant): void => void told.push(name);
    const hunting = huntMutants({ ...options(trees, instruments), mutants: [store, shy], onOutcome });
    await expect(hunting).rejects.toThrow("without any mutant seed 15 is violated");
    expect(told).toEqual([]);
    expect(trees.map(({ planted }) => planted)).toEqual([undefined, undefined]);
  });

  test("tries a seed without a mutant once, however many it caught", async () => {
    const { log } = await hunt([store, shy], { seeds: { store: [15], shy: [15] } });
    expect(log.filter((line) => line.startsWith("seeds 15+1"))).toEqual(["seeds 15+1 on clean"]);
  });
});

describe("the report", () => {
  const outcomes: Outcome[] = [
    { by: "conformance", what: "quorum/a.txt", realMs: 400 },
    { by: "simulator", seedCount: 2, seed: 8, what: "one leader a term", realMs: 2_500 },
    { by: undefined, seedCount: 300, realMs: 60_000 },
  ];

  test("is a table, the survivors with what they break, and the count on the last line", () => {
    expect(formatReport([core, store, shy], outcomes).split("\n")).toEqual([
      "mutant  caught by    seeds  what fired         seconds",
      "core    conformance         quorum/a.txt       0.4",
      "store   simulator    2      one leader a term  2.5",
      "shy     NOBODY       300                       60.0",
      "",
      "survived: shy",
      "  shy breaks",
      "",
      "2 caught, 1 survived",
    ]);
  });

  test("tells each outcome in a line as it comes", () => {
    expect([core, store, shy].map((one, place) => formatOutcome(one, outcomes[place] as Outcome))).toEqual([
      "core: caught by conformance, quorum/a.txt (0.4 s)",
      "store: caught by the simulator after 2 seeds, seed 8: one leader a term (2.5 s)",
      "shy: SURVIVED 300 seeds (60.0 s)",
    ]);
  });
});

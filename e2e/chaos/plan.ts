import { SeededRandom } from "@flaredb/rdb-base";
import { type Nemesis, pick } from "./nemesis.ts";

/** What a plan needs to know of a nemesis. */
export type PlannedNemesis = Pick<Nemesis, "name" | "lastsMs" | "means" | "isMild">;

/** One fault to come. */
export interface PlannedFault<Kind extends PlannedNemesis> {
  readonly nemesis: Kind;
  /** A mild one that is on at the same time. */
  readonly beside: Kind | undefined;
  /** Rest before it, milliseconds: the cluster is healthy and under load. */
  readonly calmMs: number;
  /** How long it stays, milliseconds. */
  readonly lastsMs: number;
  /** Seed of the nemesis' own choices. */
  readonly seed: number;
}

const CALM_MIN_MS = 2_000;
const CALM_MAX_MS = 5_000;
const CALM_BRIEF_MS = 1_000;
const SEED_BOUND = 2 ** 31;
/** One fault of so many has a mild one beside it. */
const BESIDE_ONE_OF = 4;

/**
 * The faults of a run, without end: one seed decides which comes when, for how long, and what it chooses. All nemeses
 * come once, in a drawn order, before any comes again; now and then a mild one is on at the same time, which works by other
 * means.
 *
 * @param areBrief each lasts as short as it may
 * @throws Error when there is no nemesis
 */
export function* drawPlan<Kind extends PlannedNemesis>(
  seed: number,
  nemeses: readonly Kind[],
  areBrief = false,
): Generator<PlannedFault<Kind>, never> {
  if (nemeses.length === 0) {
    throw new Error("a plan needs at least one nemesis");
  }
  const random = new SeededRandom(seed);
  for (;;) {
    const bag = [...nemeses];
    while (bag.length > 0) {
      const [nemesis] = bag.splice(random.nextInt(bag.length), 1) as [Kind];
      const { min, max } = nemesis.lastsMs;
      const others = nemeses.filter(({ means, isMild }) => isMild && means !== nemesis.means);
      const isPair = random.nextInt(BESIDE_ONE_OF) === 0 && others.length > 0;
      yield {
        nemesis,
        beside: isPair ? pick(others, random) : undefined,
        calmMs: areBrief ? CALM_BRIEF_MS : CALM_MIN_MS + random.nextInt(CALM_MAX_MS - CALM_MIN_MS + 1),
        lastsMs: areBrief ? min : min + random.nextInt(max - min + 1),
        seed: random.nextInt(SEED_BOUND),
      };
    }
  }
}

/** How many Stores the seed begins with: three, or one more than a Region has peers. */
export function drawStoreCount(seed: number): number {
  return 3 + new SeededRandom(seed).nextInt(2);
}

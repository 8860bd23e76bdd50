import { SeededRandom } from "@flaredb/rdb-base";
import type { Nemesis } from "./nemesis.ts";

/** What a plan needs to know of a nemesis. */
export type PlannedNemesis = Pick<Nemesis, "name" | "lastsMs">;

/** One fault to come. */
export interface PlannedFault<Kind extends PlannedNemesis> {
  readonly nemesis: Kind;
  /** Rest before it, milliseconds: the cluster is healthy and under load. */
  readonly calmMs: number;
  /** How long it stays, milliseconds. */
  readonly lastsMs: number;
  /** Seed of the nemesis' own choices. */
  readonly seed: number;
}

const CALM_MIN_MS = 2_000;
const CALM_MAX_MS = 5_000;
const SEED_BOUND = 2 ** 31;

/**
 * The faults of a run, without end: one seed decides which comes when, for how long, and what it chooses. All nemeses
 * come once, in a drawn order, before any comes again.
 *
 * @throws Error when there is no nemesis
 */
export function* drawPlan<Kind extends PlannedNemesis>(
  seed: number,
  nemeses: readonly Kind[],
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
      yield {
        nemesis,
        calmMs: CALM_MIN_MS + random.nextInt(CALM_MAX_MS - CALM_MIN_MS + 1),
        lastsMs: min + random.nextInt(max - min + 1),
        seed: random.nextInt(SEED_BOUND),
      };
    }
  }
}

/** How many Stores the seed begins with: three, or one more than a Region has peers. */
export function drawStoreCount(seed: number): number {
  return 3 + new SeededRandom(seed).nextInt(2);
}

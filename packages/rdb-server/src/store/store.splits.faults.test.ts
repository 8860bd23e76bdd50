import { type Region, SeededRandom, rangesOverlap } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import {
  FAULTY_CONFIG,
  SimCluster,
  bytes,
  expectConverged,
  faultSeeds,
  runAmongFaults,
  skewedClocks,
} from "../testing/index.ts";

const SPLIT_PAUSE_MAX_MS = 1_500;
const KEYS = Array.from({ length: 12 }, (_, count) => `k${String(count).padStart(2, "0")}`);

/** Asks for splits at random keys, of whoever leads there, until it is stopped. What becomes of them is up to chance. */
class RandomSplits {
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  #stopped = false;

  constructor(cluster: SimCluster, seed: number) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(seed);
    this.#later();
  }

  stop(): void {
    this.#stopped = true;
  }

  #later(): void {
    this.#cluster.clock.setTimer(this.#random.nextInt(SPLIT_PAUSE_MAX_MS), () => {
      if (!this.#stopped) {
        this.#split();
        this.#later();
      }
    });
  }

  #split(): void {
    const { regions } = this.#cluster;
    const region = regions[this.#random.nextInt(regions.length)] as Region;
    const key = KEYS[this.#random.nextInt(KEYS.length)] as string;
    const command = { regionId: region.id, epoch: region.epoch, keys: [bytes(key)], partCount: 2 };
    this.#cluster.leader(region.id)?.call((store) => void store.splitRegion(command));
  }
}

/** No two Regions that some Store has share a key, and together they have all. */
function expectTiled({ regions }: SimCluster): void {
  const overlapping = regions.filter((region, place) =>
    regions.slice(place + 1).some((other) => rangesOverlap(region, other)),
  );
  expect(overlapping).toEqual([]);
  expect(regions[0]?.startKey).toHaveLength(0);
  expect(regions.at(-1)?.endKey).toHaveLength(0);
  for (const [place, region] of regions.slice(1).entries()) {
    expect(region.startKey).toEqual(regions[place]?.endKey);
  }
}

async function runSeed(seed: number): Promise<{ readonly okCount: number; readonly regionCount: number }> {
  const cluster = await SimCluster.start({
    seed,
    storeCount: seed % 3 === 0 ? 5 : 3,
    // Half of the seeds split by size too, down to single keys.
    config: { ...FAULTY_CONFIG, regionSplitSizeBytes: seed % 2 === 0 ? 12 : 1_000_000 },
    clocks: skewedClocks,
  });
  const okCount = await runAmongFaults(cluster, {
    ...{ seed, keys: KEYS, pauseMaxMs: 20 },
    meanwhile: new RandomSplits(cluster, seed),
    converged: async () => {
      await expectConverged(cluster);
      expectTiled(cluster);
    },
  });
  return { okCount, regionCount: cluster.regions.length };
}

describe("splits under random faults", () => {
  it.each(faultSeeds())(
    "SPEC-S2, S3, S5 SCENARIO-50: seed %i stays linearizable and converges, and its Regions tile the keys",
    async (seed) => {
      const { okCount, regionCount } = await runSeed(seed);
      expect(okCount).toBeGreaterThan(0);
      expect(regionCount).toBeGreaterThan(1);
    },
  );
});

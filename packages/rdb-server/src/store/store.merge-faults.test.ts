import { describe, expect, it } from "vitest";
import {
  FAULTY_CONFIG,
  RangePlan,
  SimCluster,
  expectConverged,
  faultSeeds,
  runAmongFaults,
  skewedClocks,
} from "../testing/index.ts";

const KEYS = ["k1", "k2", "k3", "k4"];

/** Seeds that found something: a start key that tells nothing, a target that is not here yet, or was taken itself. */
const FOUND = [12, 13, 1_031, 1_077];

/** @returns how many calls were answered */
async function runSeed(seed: number): Promise<number> {
  const logGc = { maxEntries: seed % 2 === 0 ? 20 : 200, checkIntervalMs: 100 };
  const config = { ...FAULTY_CONFIG, logGc };
  const cluster = await SimCluster.start({ seed, config, splitKeys: ["k2"], clocks: skewedClocks });
  const ranges = new RangePlan(cluster, KEYS.slice(1));
  return runAmongFaults(cluster, {
    ...{ seed, keys: KEYS, pauseMaxMs: 40 },
    meanwhile: {
      done: ranges.done,
      stop: async () => {
        await ranges.stop();
        await cluster.until("no merge is under way", () => !isMerging(cluster));
      },
    },
    converged: () => expectConverged(cluster),
  });
}

function isMerging(cluster: SimCluster): boolean {
  const statuses = cluster.stores.flatMap((store) => store.store.regionStatuses());
  return statuses.some((status) => status.isMerging);
}

describe("merges and splits among random faults", () => {
  it.each(faultSeeds(...FOUND))(
    "SPEC-S2, R4, M3: SCENARIO-55: seed %i stays linearizable and converges",
    async (seed) => {
      expect(await runSeed(seed)).toBeGreaterThan(0);
    },
  );
});

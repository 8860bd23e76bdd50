import { describe, expect, it } from "vitest";
import {
  FAULTY_CONFIG,
  SimCluster,
  expectConverged,
  faultSeeds,
  runAmongFaults,
  skewedClocks,
} from "../testing/index.ts";

async function runSeed(seed: number): Promise<number> {
  const cluster = await SimCluster.start({
    seed,
    storeCount: seed % 3 === 0 ? 5 : 3,
    config: FAULTY_CONFIG,
    splitKeys: seed % 2 === 0 ? ["k2"] : [],
    clocks: skewedClocks,
  });
  const workload = { keys: ["k1", "k2", "k3"], pauseMaxMs: 40 };
  return runAmongFaults(cluster, { seed, ...workload, converged: () => expectConverged(cluster) });
}

describe("random faults", () => {
  it.each(faultSeeds())("SPEC-R3, R5, R6, R7, M3: seed %i stays linearizable and converges", async (seed) => {
    expect(await runSeed(seed)).toBeGreaterThan(0);
  });
});

import { describe, expect, it } from "vitest";
import { FaultPlan, SimCluster, Workload, expectConverged } from "../testing/index.ts";

const FAULT_MS = 12_000;
const seeds = Number(process.env["FLAREDB_SEEDS"] ?? 8);
const firstSeed = Number(process.env["FLAREDB_FIRST_SEED"] ?? 1);

async function runSeed(seed: number): Promise<number> {
  const cluster = await SimCluster.start({
    seed,
    storeCount: seed % 3 === 0 ? 5 : 3,
    config: {
      hibernateAfterMs: 300,
      logGc: { maxEntries: 20, checkIntervalMs: 100 },
      slowDiskMs: 500,
    },
    splitKeys: seed % 2 === 0 ? ["k2"] : [],
    // As far apart as is allowed, and wall clocks anywhere.
    clocks: (place) => ({ rate: 0.95 + 0.05 * (place % 3), wallOffsetMs: place * 3_000 }),
  });
  const faults = new FaultPlan(cluster);
  try {
    const workload = new Workload(cluster, { clientCount: 4, keys: ["k1", "k2", "k3"], pauseMaxMs: 40 });
    await faults.run(FAULT_MS);
    await workload.stop();
    await workload.judge();
    await expectConverged(cluster);
    expect(cluster.stores.map((store) => store.fatalError)).toEqual(cluster.stores.map(() => undefined));
    expect(cluster.trace.has("the peer stops")).toBe(false);
    return workload.okCount;
  } catch (error) {
    const plan = faults.done.join("\n");
    throw new Error(`seed ${seed}: ${String(error)}\nfaults:\n${plan}\n${cluster.trace.tail(200)}`, {
      cause: error,
    });
  }
}

describe("random faults", () => {
  it.each(Array.from({ length: seeds }, (_, place) => firstSeed + place))(
    "SPEC-R3, R5, R6, R7, M3: seed %i stays linearizable and converges",
    async (seed) => {
      expect(await runSeed(seed)).toBeGreaterThan(0);
    },
  );
});

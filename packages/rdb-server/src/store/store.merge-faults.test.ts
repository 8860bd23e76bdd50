import { describe, expect, it } from "vitest";
import { FaultPlan, RangePlan, SimCluster, Workload, expectConverged } from "../testing/index.ts";

const FAULT_MS = 12_000;
const KEYS = ["k1", "k2", "k3", "k4"];
const seeds = Number(process.env["FLAREDB_SEEDS"] ?? 8);
const firstSeed = Number(process.env["FLAREDB_FIRST_SEED"] ?? 1);

/** Seeds that found something: a start key that tells nothing, a target that is not here yet, or was taken itself. */
const FOUND = [12, 13, 1_031, 1_077];

/** @returns how many calls were answered */
async function runSeed(seed: number): Promise<number> {
  const cluster = await SimCluster.start({
    seed,
    storeCount: 3,
    config: {
      hibernateAfterMs: 300,
      logGc: { maxEntries: seed % 2 === 0 ? 20 : 200, checkIntervalMs: 100 },
      slowDiskMs: 500,
    },
    splitKeys: ["k2"],
    clocks: (place) => ({ rate: 0.95 + 0.05 * (place % 3), wallOffsetMs: place * 3_000 }),
  });
  const faults = new FaultPlan(cluster);
  const ranges = new RangePlan(cluster, KEYS.slice(1));
  try {
    const workload = new Workload(cluster, { clientCount: 4, keys: KEYS, pauseMaxMs: 40 });
    await faults.run(FAULT_MS);
    await ranges.stop();
    await cluster.until("no merge is under way", () =>
      cluster.stores.every((store) => store.store.regionStatuses().every(({ isMerging }) => !isMerging)),
    );
    await workload.stop();
    await workload.judge();
    await expectConverged(cluster);
    expect(cluster.stores.map((store) => store.fatalError)).toEqual(cluster.stores.map(() => undefined));
    expect(cluster.trace.has("the peer stops")).toBe(false);
    return workload.okCount;
  } catch (error) {
    const plan = [...faults.done, ...ranges.done].join("\n");
    throw new Error(`seed ${seed}: ${String(error)}\nfaults:\n${plan}\n${cluster.trace.tail(200)}`, {
      cause: error,
    });
  }
}

describe("merges and splits among random faults", () => {
  it.each([...new Set([...Array.from({ length: seeds }, (_, place) => firstSeed + place), ...FOUND])])(
    "SPEC-S2, R4, M3: SCENARIO-55: seed %i stays linearizable and converges",
    async (seed) => {
      expect(await runSeed(seed)).toBeGreaterThan(0);
    },
  );
});

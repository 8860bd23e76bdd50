import { describe, expect, it } from "vitest";
import { expectInvariants } from "./invariants.ts";
import { ScenarioAdmin } from "./scenario-admin.ts";
import { ELECTION_MS, Scenario, type StoreMember } from "./scenario.ts";

const SPLIT_KEYS = Array.from({ length: 11 }, (_, place) => `r${String(place + 1).padStart(2, "0")}`);

/** Regions that the Store has a peer of, and those of them that it leads. */
function countsOf(scenario: Scenario): { readonly regions: number[]; readonly leaders: number[] } {
  const healths = scenario.stores.flatMap(({ process }) => process.running?.store.health() ?? []);
  return {
    regions: healths.map(({ regionCount }) => regionCount),
    leaders: healths.map(({ leaderCount }) => leaderCount),
  };
}

describe("block F: the placement driver", () => {
  it("SCENARIO-56 a Store that is down too long is replaced, and what it has is surplus when it is back", async () => {
    const scenario = await Scenario.start({
      seed: 5600,
      storeCount: 4,
      replicaCount: 3,
      splitKeys: SPLIT_KEYS.slice(0, 3),
      elastic: { repairs: true, maxStoreDownTimeMs: 3_000 },
    });
    const admin = new ScenarioAdmin(scenario);
    scenario.startLoops([1]);
    const keys = ["", ...SPLIT_KEYS.slice(0, 3)];
    const [victim] = scenario.stores as [StoreMember];
    const victimId = Number(admin.storeId(victim));
    const restart = scenario.takeDown([victim], "kill");
    const isRepaired = (): boolean =>
      keys.every((key) => admin.regionOf(key).peers.every(({ storeId }) => storeId !== victimId));
    let fewest = 3;
    await scenario.until("every Region has three peers elsewhere", () => {
      const voters = keys.map((key) => admin.regionOf(key).peers.filter(({ role }) => role !== "Learner"));
      fewest = Math.min(
        fewest,
        ...voters.map((peers) => peers.filter(({ storeId }) => storeId !== victimId).length),
      );
      return isRepaired();
    });
    expect(fewest).toBe(2);
    restart();
    await scenario.until("its old peers are gone", () => admin.regionCount(victim) === 0);
    await expectInvariants(scenario);
    for (const key of keys) {
      expect(admin.regionOf(key).peers.map(({ role }) => role)).toEqual(["Voter", "Voter", "Voter"]);
    }
    expect(scenario.loopFailures).toEqual([]);
  });

  it("SCENARIO-57 balance: a Store that joins is filled until all have about the same, and then nothing moves", async () => {
    const scenario = await Scenario.start({
      seed: 5700,
      replicaCount: 3,
      splitKeys: SPLIT_KEYS,
      elastic: { balances: true, repairs: true, spareStoreCount: 1 },
    });
    const admin = new ScenarioAdmin(scenario);
    await scenario.until("Regions are spread evenly", () => {
      const { regions, leaders } = countsOf(scenario);
      return (
        regions.length === 4 &&
        Math.max(...regions) - Math.min(...regions) <= 2 &&
        Math.max(...leaders) - Math.min(...leaders) <= 2
      );
    });
    await scenario.run(10_000);
    const { operators: moved } = await admin.call((client) => client.listOperatorHistory({ limit: 1_000 }));
    await scenario.run(30_000);
    const { operators: later } = await admin.call((client) => client.listOperatorHistory({ limit: 1_000 }));
    expect(later.length - moved.length).toBe(0);
    // No Region was moved more than once: none went there and back.
    const moves = moved.filter(({ kind }) => kind === "balance-region").map(({ regionId }) => regionId);
    expect(new Set(moves).size).toBe(moves.length);
    await expectInvariants(scenario);
  });

  it("SCENARIO-58 stale heartbeat: what a former leader reports is ignored, and the newest wins", async () => {
    const scenario = await Scenario.start({ seed: 5800, elastic: {}, limits: { hibernateAfterMs: 0 } });
    const admin = new ScenarioAdmin(scenario);
    const old = await scenario.waitForLeader();
    // PD reaches it still: it goes on reporting as the leader that it believes to be.
    const heal = scenario.splitStores(old);
    const next = await scenario.waitForLeader((store) => store !== old);
    expect((await admin.splitAt("m")).endMessage).toBe("");
    await scenario.put("z", "1", 5_000);
    const nextId = Number(admin.storeId(next));
    const ledByInPd = (): readonly (number | undefined)[] => {
      const cluster = scenario.cluster.pd.process.running?.driver.cluster;
      return scenario.regionIds.map((id) => cluster?.region(id)?.status?.leader?.storeId);
    };
    await scenario.until("PD knows the new leader of both", () => ledByInPd().every((id) => id === nextId));
    for (let count = 0; count < 4; count++) {
      await scenario.run(ELECTION_MS);
      expect(ledByInPd()).toEqual([nextId, nextId]);
    }
    heal();
    await expectInvariants(scenario);
    expect(scenario.regionIds).toHaveLength(2);
  });
});

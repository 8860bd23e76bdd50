import { OperatorState } from "@flaredb/rdb-proto";
import { describe, expect, it } from "vitest";
import { expectInvariants, valueOnDisk } from "./invariants.ts";
import { ScenarioAdmin } from "./scenario-admin.ts";
import { Scenario, type StoreMember } from "./scenario.ts";

/** Two Regions, "" to "m" and from there on, with a row each; a merge of them is wanted. */
async function start(seed: number) {
  const scenario = await Scenario.start({
    seed,
    splitKeys: ["m"],
    elastic: {},
    limits: { hibernateAfterMs: 0 },
  });
  await scenario.put("a", "1");
  await scenario.put("x", "1");
  const admin = new ScenarioAdmin(scenario);
  /** Until PD takes it: it may not have heard yet how the Regions are led, or where they were cut. */
  const merge = async (): Promise<bigint> => {
    for (;;) {
      const ids = {
        regionId: BigInt(admin.regionOf("x").id),
        targetRegionId: BigInt(admin.regionOf("a").id),
      };
      const begun = await admin.begin((client) => client.mergeRegions(ids)).catch(() => undefined);
      if (begun !== undefined) {
        return begun.id;
      }
      await scenario.run(100);
    }
  };
  return { scenario, admin, merge };
}

describe("block E: merges", () => {
  it("SCENARIO-55 merge base: one Region with all rows, whose revision and epoch go on from the greater", async () => {
    const { scenario, admin, merge } = await start(5500);
    const before = admin.regionOf("a");
    scenario.startLoops([1]);
    expect(await admin.ended(await merge())).toMatchObject({
      state: OperatorState.DONE,
      endMessage: "",
    });
    await scenario.until("one Region is left", () => scenario.regionIds.length === 1);
    expect(admin.regionOf("x").id).toBe(before.id);
    expect(admin.regionOf("x").epoch.version).toBeGreaterThan(before.epoch.version);
    expect([await scenario.get("a"), await scenario.get("x")]).toEqual(["1", "1"]);
    await scenario.put("x", "2");
    await expectInvariants(scenario);
    expect(scenario.loopFailures).toEqual([]);
  });

  it("SCENARIO-55 merge with an isolated Store: it takes part when it returns, and cleans up", async () => {
    const { scenario, admin, merge } = await start(5501);
    await scenario.run(500);
    const leaders = [await scenario.waitForLeader(), await scenario.waitForLeader(() => true, 1)];
    const away = scenario.stores.find((store) => !leaders.includes(store)) as StoreMember;
    const heal = scenario.split(away);
    const id = await merge();
    await scenario.run(3_000);
    await scenario.put("x", "2", 20_000);
    heal();
    await admin.ended(id);
    await scenario.until("it has what was written", () => valueOnDisk(away, "x") === "2");
    await expectInvariants(scenario);
    for (const store of scenario.stores) {
      expect(admin.regionCount(store)).toBe(scenario.regionIds.length);
    }
  });

  it.each([5510, 5511, 5512])(
    "SCENARIO-55 merge x restart: whoever ends in the middle of it, there is one owner of each key (seed %i)",
    async (seed) => {
      const { scenario, admin, merge } = await start(seed);
      scenario.startLoops([1]);
      for (let round = 0; round < 3; round++) {
        if (admin.regionOf("a").id === admin.regionOf("x").id) {
          await admin.splitAt("m");
        }
        const id = await merge();
        await scenario.run(scenario.random.nextInt(12));
        const victim = scenario.stores[scenario.random.nextInt(3)] as StoreMember;
        const restart = scenario.takeDown(round === 1 ? scenario.stores : [victim], "power-off");
        await scenario.run(200);
        restart();
        await scenario.untilServing();
        await admin.ended(id);
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );
});

import { OperatorState } from "@flaredb/rdb-proto";
import { describe, expect, it } from "vitest";
import { expectInvariants, rowsOnDisk, valueOnDisk } from "./invariants.ts";
import { outcomeOf } from "./scenario-client.ts";
import { ScenarioAdmin } from "./scenario-admin.ts";
import type { ScenarioOptions } from "./scenario-options.ts";
import { Scenario, type StoreMember } from "./scenario.ts";

/** Three Stores with the Regions, and some that wait for peers. */
async function start(options: Partial<ScenarioOptions> & { readonly seed: number }, spareStoreCount = 2) {
  const scenario = await Scenario.start({
    ...options,
    elastic: { spareStoreCount, ...options.elastic },
  });
  while (scenario.cluster.joinSpare() !== undefined) {
    // All of them join now.
  }
  const { allStores } = scenario.cluster;
  await scenario.until("every Store serves", () => allStores.every(({ process }) => process.isWell));
  return { scenario, admin: new ScenarioAdmin(scenario), spares: allStores.slice(3) };
}

/** A Store that has no peer of any Region, and no row of one. */
async function expectNothing(scenario: Scenario, admin: ScenarioAdmin, store: StoreMember): Promise<void> {
  await scenario.until(`${store.name} has no peer`, () => admin.regionCount(store) === 0);
  for (const column of ["data", "session", "raft_log", "raft_state"] as const) {
    await scenario.until(
      "its rows are gone",
      () => store.process.running?.store.health().unwrittenBytes === 0,
    );
    expect(await scenario.complete(rowsOnDisk(store, column)), `${column} of ${store.name}`).toEqual([]);
  }
}

describe("block D: membership", () => {
  it("SCENARIO-40 basic conf change: data is exactly on members, and a removed Store may become one again", async () => {
    const { scenario, admin, spares } = await start({ seed: 4000 });
    const [fourth] = spares as [StoreMember];
    await scenario.put("k", "1");
    const before = admin.regionOf("k");
    expect((await admin.addPeer("k", fourth)).state).toBe(OperatorState.DONE);
    await scenario.until("it has the data", () => valueOnDisk(fourth, "k") === "1");
    const leader = await scenario.waitForLeader();
    const leaving = scenario.stores.find((store) => store !== leader && store !== fourth) as StoreMember;
    const formerId = scenario.statusOf(leaving).peerId;
    expect((await admin.removePeer("k", leaving)).state).toBe(OperatorState.DONE);
    await expectNothing(scenario, admin, leaving);
    await scenario.put("k", "2");
    expect(valueOnDisk(leaving, "k")).toBeUndefined();
    expect((await admin.addPeer("k", leaving)).state).toBe(OperatorState.DONE);
    await scenario.until("it has the data again", () => valueOnDisk(leaving, "k") === "2");
    expect(scenario.statusOf(leaving).peerId).not.toBe(formerId);
    expect(admin.regionOf("k").epoch.confVer).toBeGreaterThanOrEqual(before.epoch.confVer + 5);
    await expectInvariants(scenario);
  });

  it("SCENARIO-41 remove leader: leadership moves first, down to a group of one", async () => {
    const { scenario, admin } = await start({ seed: 4100 });
    scenario.startLoops([1]);
    for (const left of [2, 1]) {
      const leader = await scenario.waitForLeader();
      // Refused while the next leader has not heard of whoever is left with it.
      await scenario.run(500);
      let state: OperatorState = OperatorState.UNSPECIFIED;
      for (let attempt = 0; attempt < 10 && state !== OperatorState.DONE; attempt++) {
        await scenario.run(300);
        ({ state } = await admin.removePeer("k", leader));
      }
      expect(state).toBe(OperatorState.DONE);
      await scenario.waitForLeader((store) => store !== leader);
      expect(admin.regionOf("k").peers).toHaveLength(left);
      await scenario.put("k", `${left}`, 5_000);
      await expectNothing(scenario, admin, leader);
    }
    await expectInvariants(scenario);
    expect(scenario.loopFailures).toEqual([]);
  });

  it.each([4200, 4201])(
    "SCENARIO-42 random conf changes x restart x partition x snapshot: the client loop is exact (seed %i)",
    async (seed) => {
      const { scenario, admin } = await start({
        seed,
        clientCount: 3,
        replicaCount: 3,
        limits: { logGcMaxEntries: 30, logGcCheckIntervalMs: 100 },
        elastic: { repairs: true },
      });
      scenario.startLoops();
      const any = <Item>(items: readonly Item[]): Item =>
        items[scenario.random.nextInt(items.length)] as Item;
      for (let round = 0; round < 8; round++) {
        const here = admin.storesOf("k");
        const there = scenario.stores.filter((store) => !here.includes(store));
        const ids = {
          regionId: BigInt(admin.regionOf("k").id),
          fromStoreId: admin.storeId(any(here)),
          toStoreId: admin.storeId(any(there)),
        };
        // Refused while the last one goes on.
        await admin.call((client) => client.movePeer(ids)).catch(() => undefined);
        await scenario.run(scenario.random.nextInt(200));
        const victim = any(scenario.stores);
        const heal =
          round % 2 === 0 ? scenario.takeDown([victim], "power-off") : scenario.splitStores(victim);
        await scenario.run(500 + scenario.random.nextInt(1_000));
        heal();
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(admin.regionOf("k").epoch.confVer).toBeGreaterThan(1);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it("SCENARIO-44 split brain: Stores that were left behind never commit, and go when they hear of it", async () => {
    const { scenario, admin, spares } = await start({ seed: 4400, limits: { hibernateAfterMs: 0 } });
    await scenario.put("k", "old");
    for (const spare of spares) {
      await admin.addPeer("k", spare);
    }
    const leader = await scenario.waitForLeader();
    const pair = scenario.stores.filter((store) => store !== leader && !spares.includes(store));
    expect(pair).toHaveLength(2);
    const heal = scenario.split(...pair, scenario.cluster.clients[1] as { readonly name: string });
    for (const store of pair) {
      expect((await admin.removePeer("k", store)).state).toBe(OperatorState.DONE);
    }
    await scenario.put("k", "new", 5_000);
    // The pair is a majority of what it remembers no more, and nobody serves that.
    const late = scenario
      .client(1)
      .put("k", "lost", { deadlineMs: 4_000 })
      .then(() => "ok", outcomeOf);
    expect(await scenario.complete(late)).not.toBe("ok");
    expect(pair.map((store) => valueOnDisk(store, "k"))).toEqual(["old", "old"]);
    heal();
    for (const store of pair) {
      await expectNothing(scenario, admin, store);
    }
    await expectInvariants(scenario);
    expect(await scenario.get("k")).not.toBe("old");
  });

  it("SCENARIO-45 learner with a slow snapshot: it does not vote before it has the data, and costs no quorum", async () => {
    const { scenario, admin, spares } = await start({ seed: 4500 }, 1);
    const [spare] = spares as [StoreMember];
    await scenario.put("k", "1");
    const snapshot = scenario.holdSnapshots(spare);
    const ids = { regionId: BigInt(admin.regionOf("k").id), storeId: admin.storeId(spare) };
    const { id } = await admin.begin((client) => client.addPeer(ids));
    await scenario.until("a snapshot is under way", () => snapshot.heldCount() > 0);
    await scenario.run(3_000);
    expect(
      admin
        .regionOf("k")
        .peers.map(({ role }) => role)
        .sort(),
    ).toEqual(["Learner", "Voter", "Voter", "Voter"]);
    // One voter may fail, as before.
    const leader = await scenario.waitForLeader();
    const down = scenario.stores.find((store) => store !== leader && store !== spare) as StoreMember;
    const restart = scenario.takeDown([down], "kill");
    await scenario.put("k", "2", 5_000);
    restart();
    snapshot.release();
    expect((await admin.ended(id)).state).toBe(OperatorState.DONE);
    expect(admin.storesOf("k", "Voter")).toContain(spare);
    await expectInvariants(scenario);
  });

  it.each(["power-off", "stop"] as const)(
    "SCENARIO-46 joint: with leaders that go (%s) at each step, each move leaves its joint configuration",
    async (how) => {
      const { scenario, admin, spares } = await start({
        seed: how === "stop" ? 4601 : 4600,
        limits: { hibernateAfterMs: 0 },
      });
      scenario.startLoops([1]);
      let [to] = spares as [StoreMember];
      for (let step = 0; step < 4; step++) {
        const leader = await scenario.waitForLeader();
        const from = admin.storesOf("k").find((store) => store !== leader) as StoreMember;
        const ids = {
          regionId: BigInt(admin.regionOf("k").id),
          fromStoreId: admin.storeId(from),
          toStoreId: admin.storeId(to),
        };
        const { id } = await admin.begin((client) => client.movePeer(ids));
        await admin.stepMade(id, step);
        const restart = scenario.takeDown([(scenario.leader() ?? leader) as StoreMember], how);
        await scenario.run(300);
        restart();
        await admin.ended(id);
        await scenario.untilServing();
        await scenario.until("no configuration is joint", () =>
          admin.regionOf("k").peers.every(({ role }) => role === "Voter" || role === "Learner"),
        );
        to = scenario.stores.find((store) => !admin.storesOf("k").includes(store)) as StoreMember;
      }
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it("SCENARIO-48 member replace under load: a Store whose disk is gone comes back as new and is filled again", async () => {
    const { scenario, admin } = await start(
      { seed: 4800, replicaCount: 3, elastic: { repairs: true, maxStoreDownTimeMs: 3_000 } },
      0,
    );
    scenario.startLoops([1]);
    await scenario.run(500);
    const victim = (await scenario.waitForLeader()) as StoreMember;
    const formerId = admin.storeId(victim);
    const restart = scenario.takeDown([victim], "power-off");
    victim.wipe();
    await scenario.run(200);
    restart();
    await scenario.untilServing();
    expect(admin.storeId(victim)).not.toBe(formerId);
    await scenario.until("it is filled again", () => admin.storesOf("k", "Voter").includes(victim), 120_000);
    await expectInvariants(scenario);
    expect(admin.regionOf("k").peers).toHaveLength(3);
    expect(scenario.loopFailures).toEqual([]);
  });
});

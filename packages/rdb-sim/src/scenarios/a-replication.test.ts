import { describe, expect, it } from "vitest";
import { askStore } from "./ask-store.ts";
import { expectInvariants, valueOnDisk } from "./invariants.ts";
import { outcomeOf } from "./scenario-client.ts";
import { ELECTION_MS, Scenario, type StoreMember } from "./scenario.ts";

describe("block A: replication", () => {
  it.each([1, 5])(
    "SCENARIO-1 basic: the loops of %i clients see what they wrote, without an error",
    async (clientCount) => {
      const scenario = await Scenario.start({ seed: 100 + clientCount, clientCount });
      scenario.startLoops();
      await scenario.run(3_000);
      expect(scenario.okCount).toBeGreaterThan(60 * clientCount);
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it.each([0.1, 0.2, 0.3, 0.5])(
    "SCENARIO-2 unreliable-net: with Raft messages lost at a rate of %d clients are slower, never wrong",
    async (messageRate) => {
      const scenario = await Scenario.start({ seed: 200 + messageRate * 10, storeCount: 5, clientCount: 4 });
      scenario.fault({ kind: "loss", packetRate: 0, messageRate });
      scenario.startLoops();
      await scenario.run(6_000);
      // At half of the messages lost a few seconds may see nothing but elections and entries that are sent again.
      await scenario.until("calls get through", () => scenario.okCount > 20);
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it("SCENARIO-3 leader-in-majority: it goes on, and the two that were cut off catch up", async () => {
    const scenario = await Scenario.start({ seed: 300, storeCount: 5 });
    const leader = await scenario.waitForLeader();
    const cutOff = scenario.others(leader).slice(0, 2);
    const heal = scenario.split(...cutOff);
    await scenario.put("k1", "v1", 1_000);
    await scenario.run(2 * ELECTION_MS);
    expect(scenario.leader()).toBe(leader);
    expect(cutOff.map((store) => valueOnDisk(store, "k1"))).toEqual([undefined, undefined]);
    heal();
    await scenario.until("they have it", () => cutOff.every((store) => valueOnDisk(store, "k1") === "v1"));
    await expectInvariants(scenario);
  });

  it("SCENARIO-4 leader-in-minority: the majority elects; through the old leader nothing is written or read", async () => {
    const scenario = await Scenario.start({ seed: 400, storeCount: 5 });
    const [majorityClient, minorityClient] = [scenario.client(0), scenario.client(1)];
    await scenario.put("k1", "old");
    await scenario.complete(minorityClient.get("k1"));
    const old = await scenario.waitForLeader();
    const [companion] = scenario.others(old) as [StoreMember];
    const minority = [old, companion];
    const heal = scenario.split(...minority, { name: minorityClient.name });
    const commit = scenario.statusOf(old).commitIndex;

    const write = minorityClient.put("k1", "minority", { deadlineMs: 8_000 }).then(() => "ok", outcomeOf);
    const next = await scenario.waitForLeader((store) => !minority.includes(store));
    await scenario.complete(majorityClient.put("k1", "new"));
    const startMs = scenario.nowMs;
    const read = await scenario.complete(
      minorityClient.get("k1", { deadlineMs: 3_000 }).then(() => "ok", outcomeOf),
    );
    expect(read).not.toBe("ok");
    expect(scenario.nowMs - startMs).toBeLessThan(3_001);
    expect(await scenario.complete(write)).toBe("unknown");
    expect(minority.map((store) => scenario.statusOf(store).commitIndex)).toEqual([commit, commit]);

    heal();
    await scenario.until(
      "the old one follows",
      () => scenario.statusOf(old).leaderPeerId === scenario.statusOf(next).peerId,
    );
    expect(await scenario.get("k1")).toBe("new");
    await expectInvariants(scenario);
  });

  it("SCENARIO-4 leader-in-minority: the old leader itself serves neither the old nor the new value", async () => {
    const scenario = await Scenario.start({ seed: 401, storeCount: 5 });
    await scenario.put("k1", "old");
    const old = await scenario.waitForLeader();
    const [companion] = scenario.others(old) as [StoreMember];
    scenario.splitStores(old, companion);
    await scenario.waitForLeader((store) => store !== old);
    await scenario.put("k1", "new");
    for (const store of [old, companion]) {
      for (const fromFollower of [false, true]) {
        const answer = await scenario.complete(askStore(scenario, store, "k1", { fromFollower }));
        expect(answer.kind).not.toBe("value");
      }
    }
    await expectInvariants(scenario);
  });

  it.each([500, 501])(
    "SCENARIO-5 many-partitions: drawn anew every election timeout, then healed (seed %i)",
    async (seed) => {
      const scenario = await Scenario.start({ seed, storeCount: 5, clientCount: 3 });
      scenario.startLoops();
      for (let round = 0; round < 6; round++) {
        const left = scenario.stores.filter(() => scenario.random.nextInt(2) === 0);
        const heal = scenario.splitStores(...left);
        await scenario.run(ELECTION_MS / 2 + scenario.random.nextInt(200));
        heal();
      }
      const before = scenario.okCount;
      await scenario.run(2 * ELECTION_MS);
      expect(scenario.okCount).toBeGreaterThan(before + 20);
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it("SCENARIO-14 lost majority: calls fail in bounded time, and work again when it is back", async () => {
    const scenario = await Scenario.start({ seed: 1400, storeCount: 5 });
    const leader = await scenario.waitForLeader();
    await scenario.put("k", "1");
    const restart = scenario.takeDown(scenario.others(leader).slice(0, 3), "power-off");
    const deadlineMs = 4_000;
    for (const call of [
      scenario.client().put("k", "2", { deadlineMs }),
      scenario.client(1).get("k", { deadlineMs }),
    ]) {
      const startMs = scenario.nowMs;
      expect(await scenario.complete(call.then(() => "ok", outcomeOf))).not.toBe("ok");
      expect(scenario.nowMs - startMs).toBeLessThan(deadlineMs + 1);
    }
    expect((await scenario.complete(askStore(scenario, leader, "k"))).kind).not.toBe("value");
    restart();
    await scenario.put("k", "3", 10_000);
    expect(await scenario.get("k")).toBe("3");
    await expectInvariants(scenario);
  });
});

import { describe, expect, it } from "vitest";
import { expectInvariants } from "./invariants.ts";
import { ELECTION_MS, Scenario, type StoreMember } from "./scenario.ts";

const AWAKE = { hibernateAfterMs: 0 };

describe("block B: elections", () => {
  it("SCENARIO-21 isolated follower returns: after ten timeouts leader and term are as before", async () => {
    const scenario = await Scenario.start({ seed: 2100, limits: AWAKE });
    const leader = await scenario.waitForLeader();
    const { term } = scenario.statusOf(leader);
    const away = scenario.others(leader)[0] as StoreMember;
    const heal = scenario.split(away);
    scenario.startLoops([0], 500);
    await scenario.run(10 * ELECTION_MS);
    heal();
    await scenario.run(2 * ELECTION_MS);
    expect(scenario.leader()).toBe(leader);
    expect(scenario.stores.map((store) => scenario.statusOf(store).term)).toEqual([term, term, term]);
    await expectInvariants(scenario);
    expect(scenario.loopFailures).toEqual([]);
  });

  it("SCENARIO-22 pair isolated: three of five go on in the same term", async () => {
    const scenario = await Scenario.start({ seed: 2200, storeCount: 5, limits: AWAKE });
    const leader = await scenario.waitForLeader();
    const { term } = scenario.statusOf(leader);
    const heal = scenario.split(...scenario.others(leader).slice(0, 2));
    scenario.startLoops(undefined, 300);
    await scenario.run(5 * ELECTION_MS);
    expect(scenario.okCount).toBeGreaterThan(150);
    heal();
    await scenario.run(2 * ELECTION_MS);
    expect(scenario.leader()).toBe(leader);
    expect(scenario.statusOf(leader).term).toBe(term);
    await expectInvariants(scenario);
    expect(scenario.loopFailures).toEqual([]);
  });

  /** Who is cut off with the leader, and in which direction nothing passes: one side may go on hearing the other. */
  const sides = ["minority", "majority"] as const;
  const directions = ["deaf", "mute"] as const;
  it.each(sides.flatMap((side) => directions.map((direction) => [side, direction] as const)))(
    "SCENARIO-23 prevote x detector: leader in the %s and %s: one leader in the majority within the bound",
    async (side, direction) => {
      const scenario = await Scenario.start({ seed: 2300, storeCount: 5, limits: AWAKE });
      const leader = await scenario.waitForLeader();
      const companions = scenario.others(leader).slice(0, side === "minority" ? 1 : 2);
      const mine = [leader, ...companions];
      const theirs = scenario.others(...mine);
      const heal = scenario.fault(
        ...mine.flatMap((a) =>
          theirs.map((b) => {
            const [from, to] = direction === "deaf" ? [b.name, a.name] : [a.name, b.name];
            return { kind: "one-way", from, to } as const;
          }),
        ),
      );
      const majority = side === "minority" ? theirs : mine;
      await scenario.run(3 * ELECTION_MS);
      expect(majority).toContain(scenario.leader());
      if (side === "majority") {
        expect(scenario.leader()).toBe(leader);
      }
      // It can do what leaders are for.
      await scenario.put("k", "1", ELECTION_MS);
      const { electionCount } = scenario.watch;
      await scenario.run(5 * ELECTION_MS);
      expect(scenario.watch.electionCount).toBe(electionCount);
      heal();
      await expectInvariants(scenario);
    },
  );
});

describe("block B: transfers", () => {
  it("SCENARIO-25 transfer leader around: each of five Stores leads in turn, and the load goes on", async () => {
    const scenario = await Scenario.start({ seed: 2500, storeCount: 5 });
    scenario.startLoops();
    for (const store of scenario.stores) {
      if ((await scenario.waitForLeader()) !== store) {
        scenario.transfer(store);
        expect(await scenario.until("it leads", () => scenario.leader() === store)).toBeLessThan(500);
      }
      const before = scenario.okCount;
      await scenario.run(500);
      expect(scenario.okCount).toBeGreaterThan(before + 10);
    }
    await expectInvariants(scenario);
    expect(scenario.loopFailures).toEqual([]);
  });

  it("SCENARIO-26 transfer to a lagging peer is given up within an election timeout; to itself, nothing happens", async () => {
    const scenario = await Scenario.start({ seed: 2600, limits: AWAKE });
    const leader = await scenario.waitForLeader();
    const { term } = scenario.statusOf(leader);
    scenario.transfer(leader);
    await scenario.run(ELECTION_MS);
    const lagging = scenario.others(leader)[0] as StoreMember;
    const heal = scenario.split(lagging);
    await scenario.put("k", "behind");
    scenario.transfer(lagging);
    const startMs = scenario.nowMs;
    await scenario.put("k", "again");
    expect(scenario.nowMs - startMs).toBeLessThan(ELECTION_MS);
    expect(scenario.leader()).toBe(leader);
    expect(scenario.statusOf(leader).term).toBe(term);
    heal();
    await expectInvariants(scenario);
  });

  it("SCENARIO-27 transfer during snapshot: a peer that is being sent one does not become leader", async () => {
    const scenario = await Scenario.start({
      seed: 2700,
      limits: { ...AWAKE, logGcMaxEntries: 10, logGcCheckIntervalMs: 100 },
    });
    const leader = await scenario.waitForLeader();
    const { term } = scenario.statusOf(leader);
    const away = scenario.others(leader)[0] as StoreMember;
    const restart = scenario.takeDown([away], "kill");
    for (let count = 0; count < 30; count++) {
      await scenario.put(`k${count}`, "1");
    }
    await scenario.run(500);
    const snapshot = scenario.holdSnapshots(away);
    restart();
    await scenario.until("a snapshot is under way", () => snapshot.heldCount() > 0);
    scenario.transfer(away);
    await scenario.run(500);
    expect(scenario.leader()).toBe(leader);
    // Proposals wait for no longer than an election timeout.
    await scenario.put("k", "meanwhile", ELECTION_MS);
    await scenario.run(ELECTION_MS);
    expect(scenario.leader()).toBe(leader);
    expect(scenario.statusOf(leader).term).toBe(term);
    snapshot.release();
    await scenario.until("it has the snapshot", () => scenario.watch.countOf("the snapshot is applied") > 0);
    await expectInvariants(scenario);
  });
});

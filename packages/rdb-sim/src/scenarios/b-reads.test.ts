import { describe, expect, it } from "vitest";
import { askStore } from "./ask-store.ts";
import { expectInvariants } from "./invariants.ts";
import { ELECTION_MS, Scenario, type StoreMember } from "./scenario.ts";

const IDLE_MS = 500;
const SLEEPY = { hibernateAfterMs: IDLE_MS };
const FOLLOWER = { fromFollower: true } as const;

async function untilAsleep(scenario: Scenario): Promise<void> {
  const sleeps = ({ process }: StoreMember): boolean => {
    const statuses = process.running?.store.regionStatuses() ?? [];
    return !process.isWell || statuses.every(({ isAsleep }) => isAsleep);
  };
  await scenario.until("all sleep", () => scenario.stores.every(sleeps));
}

describe("block B: reads", () => {
  it.each([2900, 2901, 2902, 2903])(
    "SCENARIO-29 lease expired in partition: a leader cut off for longer serves no read (seed %i)",
    async (seed) => {
      const scenario = await Scenario.start({ seed });
      await scenario.put("k", "old");
      await scenario.get("k");
      const old = await scenario.waitForLeader();
      scenario.splitStores(old);
      // The lease is 800 ms. It ends before anybody else can lead.
      await scenario.run(810);
      expect((await scenario.complete(askStore(scenario, old, "k", { timeoutMs: 100 }))).kind).not.toBe(
        "value",
      );
      await scenario.waitForLeader((store) => store !== old);
      await scenario.put("k", "new");
      expect((await scenario.complete(askStore(scenario, old, "k"))).kind).not.toBe("value");
      await expectInvariants(scenario);
    },
  );

  it("SCENARIO-30 read-index: a follower shows every write that was acknowledged before the read", async () => {
    const scenario = await Scenario.start({ seed: 3000 });
    const leader = await scenario.waitForLeader();
    for (let count = 0; count < 20; count++) {
      await scenario.put("k", `${count}`);
      for (const follower of scenario.others(leader)) {
        const answer = await scenario.complete(askStore(scenario, follower, "k", FOLLOWER));
        expect(answer).toEqual({ kind: "value", value: `${count}` });
      }
    }
    await expectInvariants(scenario);
  });

  it("SCENARIO-30 read-index: also when messages are lost, doubled and out of order", async () => {
    const scenario = await Scenario.start({ seed: 3001 });
    const leader = await scenario.waitForLeader();
    scenario.fault(
      { kind: "delay", maxMs: 75 },
      { kind: "reorder", rate: 0.3 },
      { kind: "duplicate", rate: 0.3 },
      { kind: "loss", packetRate: 0, messageRate: 0.1 },
    );
    let servedCount = 0;
    for (let count = 0; count < 15; count++) {
      await scenario.put("k", `${count}`);
      const answers = scenario.others(leader).map((store) => askStore(scenario, store, "k", FOLLOWER));
      for (const answer of await scenario.complete(Promise.all(answers))) {
        servedCount += answer.kind === "value" ? 1 : 0;
        expect(answer.kind === "value" ? answer.value : `${count}`).toBe(`${count}`);
      }
    }
    expect(servedCount).toBeGreaterThan(15);
    await expectInvariants(scenario);
  });

  it("SCENARIO-30 read-index: on a hibernated Region, which it wakes without an election", async () => {
    const scenario = await Scenario.start({ seed: 3002, limits: SLEEPY });
    await scenario.put("k", "1");
    const leader = await scenario.waitForLeader();
    const { term } = scenario.statusOf(leader);
    for (const follower of scenario.others(leader)) {
      await untilAsleep(scenario);
      await scenario.run(5_000);
      const startMs = scenario.nowMs;
      const answer = await scenario.complete(askStore(scenario, follower, "k", FOLLOWER));
      expect(answer).toEqual({ kind: "value", value: "1" });
      expect(scenario.nowMs - startMs).toBeLessThan(100);
    }
    expect(scenario.statusOf(leader).term).toBe(term);
    await expectInvariants(scenario);
  });

  it("SCENARIO-31 follower read on an unapplied peer waits until it has applied", async () => {
    const scenario = await Scenario.start({ seed: 3100 });
    await scenario.put("k", "old");
    const leader = await scenario.waitForLeader();
    const follower = scenario.others(leader)[0] as StoreMember;
    const mend = scenario.slowDisk(follower, 700);
    await scenario.put("k", "new");
    const startMs = scenario.nowMs;
    const answer = await scenario.complete(askStore(scenario, follower, "k", FOLLOWER));
    expect(answer).toEqual({ kind: "value", value: "new" });
    expect(scenario.nowMs - startMs).toBeGreaterThan(500);
    mend();
    await expectInvariants(scenario);
  });

  it("SCENARIO-31 follower read on a stale peer, cut off, ends in time and never shows the old value", async () => {
    const scenario = await Scenario.start({ seed: 3101 });
    await scenario.put("k", "old");
    const leader = await scenario.waitForLeader();
    const follower = scenario.others(leader)[0] as StoreMember;
    scenario.splitStores(follower);
    await scenario.put("k", "new");
    const startMs = scenario.nowMs;
    const answer = await scenario.complete(
      askStore(scenario, follower, "k", { ...FOLLOWER, timeoutMs: 1_000 }),
    );
    expect(answer.kind).not.toBe("value");
    expect(scenario.nowMs - startMs).toBeLessThan(1_201);
    await expectInvariants(scenario);
  });

  it("SCENARIO-31 follower read on a pending peer, which waits for a snapshot, never shows the old value", async () => {
    const scenario = await Scenario.start({
      seed: 3102,
      limits: { hibernateAfterMs: 0, logGcMaxEntries: 10, logGcCheckIntervalMs: 100 },
    });
    await scenario.put("k", "old");
    const leader = await scenario.waitForLeader();
    const away = scenario.others(leader)[0] as StoreMember;
    await scenario.run(200);
    const restart = scenario.takeDown([away], "kill");
    for (let count = 0; count < 30; count++) {
      await scenario.put("k", `${count}`);
    }
    await scenario.run(500);
    const snapshot = scenario.holdSnapshots(away);
    restart();
    await scenario.until("a snapshot is under way", () => snapshot.heldCount() > 0);
    const answer = await scenario.complete(askStore(scenario, away, "k", { ...FOLLOWER, timeoutMs: 500 }));
    expect(answer.kind).not.toBe("value");
    snapshot.release();
    await scenario.until("it has the snapshot", () => scenario.watch.countOf("the snapshot is applied") > 0);
    const later = await scenario.complete(askStore(scenario, away, "k", FOLLOWER));
    expect(later).toEqual({ kind: "value", value: "29" });
    await expectInvariants(scenario);
  });
});

describe("block B: hibernation", () => {
  it("SCENARIO-32 hibernate: a proposal that is under way prevents sleep", async () => {
    const scenario = await Scenario.start({ seed: 3200, limits: SLEEPY });
    await scenario.put("k", "0");
    const leader = await scenario.waitForLeader();
    const mends = scenario.others(leader).map((store) => scenario.slowDisk(store, 900));
    const put = scenario.client().put("k", "1");
    await scenario.run(IDLE_MS + 300);
    expect(scenario.statusOf(leader).isAsleep).toBe(false);
    await scenario.complete(put);
    mends.forEach((mend) => mend());
    await untilAsleep(scenario);
    await expectInvariants(scenario);
  });

  it("SCENARIO-32 hibernate: the leader dies asleep, and the first request is served in under two timeouts", async () => {
    const scenario = await Scenario.start({ seed: 3201, limits: SLEEPY });
    await scenario.put("k", "1");
    await untilAsleep(scenario);
    await scenario.run(10_000);
    scenario.takeDown([await scenario.waitForLeader()], "kill");
    const startMs = scenario.nowMs;
    expect(await scenario.get("k")).toBe("1");
    expect(scenario.nowMs - startMs).toBeLessThan(2 * ELECTION_MS);
    await expectInvariants(scenario);
  });

  it("SCENARIO-32 hibernate: a request to a sleeping Region with its leader alive is served at once", async () => {
    const scenario = await Scenario.start({ seed: 3202, limits: SLEEPY });
    await scenario.put("k", "1");
    await untilAsleep(scenario);
    await scenario.run(20_000);
    const { electionCount } = scenario.watch;
    const startMs = scenario.nowMs;
    await scenario.put("k", "2");
    expect(await scenario.get("k")).toBe("2");
    expect(scenario.nowMs - startMs).toBeLessThan(100);
    expect(scenario.watch.electionCount).toBe(electionCount);
    await expectInvariants(scenario);
  });

  it("SCENARIO-32 hibernate: a single voter that restarts serves again in under two timeouts, and sleeps", async () => {
    const scenario = await Scenario.start({ seed: 3203, storeCount: 1, limits: SLEEPY });
    await scenario.put("k", "1");
    await untilAsleep(scenario);
    const restart = scenario.takeDown(scenario.stores, "power-off");
    await scenario.run(1_000);
    restart();
    const startMs = scenario.nowMs;
    expect(await scenario.get("k")).toBe("1");
    expect(scenario.nowMs - startMs).toBeLessThan(2 * ELECTION_MS);
    await untilAsleep(scenario);
    await expectInvariants(scenario);
  });
});

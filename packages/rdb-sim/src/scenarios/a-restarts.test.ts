import { describe, expect, it } from "vitest";
import { expectInvariants } from "./invariants.ts";
import { ELECTION_MS, Scenario, type StoreMember } from "./scenario.ts";

/** Logs so short that their GC runs all the time. */
const SHORT_LOGS = { logGcMaxEntries: 10, logGcCheckIntervalMs: 50 };
/** Ten loops make 200 calls and more a second. */
const BUSY_PAUSE_MS = 60;

describe("block A: restarts", () => {
  it.each(["stop", "kill", "power-off"] as const)(
    "SCENARIO-6 full-restart: after a %s of all Stores between rounds every acknowledged write is there",
    async (how) => {
      const scenario = await Scenario.start({ seed: 600, storeCount: 5, clientCount: 3 });
      scenario.startLoops();
      for (let round = 0; round < 3; round++) {
        await scenario.run(1_000);
        const restart = scenario.takeDown(scenario.stores, how);
        await scenario.until("all are down", () =>
          scenario.stores.every(({ process }) => !process.isRunning),
        );
        await scenario.run(300);
        restart();
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it.each(["any", "leader", "all"] as const)(
    "SCENARIO-7 kill mid-load: %s killed, no write lost or failed, and answers again within 10 s",
    async (victims) => {
      const scenario = await Scenario.start({ seed: 700, clientCount: 5 });
      scenario.startLoops(undefined, BUSY_PAUSE_MS);
      await scenario.run(1_000);
      expect(scenario.okCount).toBeGreaterThan(200);
      for (let round = 0; round < 3; round++) {
        const leader = await scenario.waitForLeader();
        const drawn = scenario.stores[scenario.random.nextInt(scenario.stores.length)] as StoreMember;
        const restart = scenario.takeDown(
          { any: [drawn], leader: [leader], all: scenario.stores }[victims],
          "kill",
        );
        await scenario.run(100);
        restart();
        const before = scenario.okCount;
        const tookMs = await scenario.until("calls succeed", () => scenario.okCount > before + 20);
        expect(tookMs).toBeLessThan(10_000);
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  describe.each(["torn", "durable"] as const)("SCENARIO-9 kill at every persist step, %s", (moment) => {
    it.each(["leader", "follower"] as const)(
      "SCENARIO-9 kill at every persist step: appends, applies and log GC of a %s",
      async (role) => {
        const scenario = await Scenario.start({ seed: 900, limits: SHORT_LOGS });
        scenario.startLoops();
        for (let writeCount = 1; writeCount <= 12; writeCount++) {
          const leader = await scenario.waitForLeader();
          const victim =
            role === "leader" ? leader : (scenario.others(leader)[writeCount % 2] as StoreMember);
          await crash(scenario, victim, writeCount, moment);
        }
        await expectInvariants(scenario);
        expect(scenario.loopFailures).toEqual([]);
      },
    );

    it("SCENARIO-9 kill at every persist step: votes and terms of an election", async () => {
      const scenario = await Scenario.start({ seed: 910, limits: SHORT_LOGS });
      scenario.startLoops();
      for (let writeCount = 1; writeCount <= 4; writeCount++) {
        const leader = await scenario.waitForLeader();
        const victim = scenario.others(leader)[writeCount % 2] as StoreMember;
        const restart = scenario.takeDown([leader], "power-off");
        // Of what it had begun, nothing may be left to write but the election.
        await crash(scenario, victim, writeCount, moment, restart);
      }
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    });

    it("SCENARIO-9 kill at every persist step: a snapshot that is installed", async () => {
      const scenario = await Scenario.start({ seed: 920, limits: SHORT_LOGS });
      let crashCount = 0;
      for (let writeCount = 1; writeCount <= 12; writeCount++) {
        const leader = await scenario.waitForLeader();
        const away = scenario.others(leader)[writeCount % 2] as StoreMember;
        const last = scenario.statusOf(away).lastIndex;
        const restart = scenario.takeDown([away], "power-off");
        for (let count = 0; count < 30; count++) {
          await scenario.put(`k${count}`, `${writeCount}.${count}`);
        }
        await scenario.run(500);
        expect(scenario.statusOf(leader).firstIndex).toBeGreaterThan(last + 1);
        const hasCrashed = scenario.crashAtWrite(away, writeCount, moment);
        restart();
        await scenario.until(
          "it crashed, or is done",
          () => hasCrashed() || isCaughtUp(scenario, away),
          5_000,
        );
        crashCount += hasCrashed() ? 1 : 0;
        away.disk?.cancelCrash();
        scenario.heal();
        await scenario.untilServing();
        await scenario.until("caught up", () => isCaughtUp(scenario, away));
      }
      // What was cut short is resumed at the start, or begun again.
      expect(scenario.watch.countOf("the snapshot is applied")).toBeGreaterThanOrEqual(5);
      expect(crashCount).toBeGreaterThanOrEqual(5);
      await expectInvariants(scenario);
    });
  });
});

/** Waits for the crash, lets the others notice, and starts the Store again. */
async function crash(
  scenario: Scenario,
  victim: StoreMember,
  writeCount: number,
  moment: "torn" | "durable",
  restartOthers: () => void = () => {},
): Promise<void> {
  const hasCrashed = scenario.crashAtWrite(victim, writeCount, moment);
  await scenario.until(`${victim.name} crashes at write ${writeCount}`, hasCrashed, 5 * ELECTION_MS);
  restartOthers();
  await scenario.run(scenario.random.nextInt(500));
  scenario.heal();
  await scenario.untilServing();
}

function isCaughtUp(scenario: Scenario, store: StoreMember): boolean {
  const leader = scenario.leader();
  return (
    leader !== undefined &&
    store.process.isWell &&
    scenario.statusOf(store).appliedIndex === scenario.statusOf(leader).appliedIndex
  );
}

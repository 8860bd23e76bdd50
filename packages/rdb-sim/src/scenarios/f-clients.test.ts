import { describe, expect, it } from "vitest";
import { expectInvariants } from "./invariants.ts";
import { Scenario, type StoreMember } from "./scenario.ts";

const BATCH_PATH = "/rdb.v1.KvService/Batch";

/** Answers to clients are lost at this rate; the requests were served. */
function loseAnswers(scenario: Scenario, rate: number): void {
  scenario.cluster.net.intercept = ({ path, isAnswer }) =>
    path === BATCH_PATH && isAnswer && scenario.random.nextFraction() < rate ? "drop" : "deliver";
}

/** Requests of clients come a second time at this rate, up to half a second later. */
function repeatRequests(scenario: Scenario, requestRepeatRate: number): void {
  const { net, stores, clients } = scenario.cluster;
  for (const store of stores) {
    for (const client of clients) {
      net.setLink(client.name, store.name, { requestRepeatRate });
    }
  }
}

describe("block F: clients", () => {
  it("SCENARIO-60 no blind retry: with answers lost and requests doubled each write is applied exactly once", async () => {
    const scenario = await Scenario.start({ seed: 6000 });
    loseAnswers(scenario, 0.2);
    repeatRequests(scenario, 0.3);
    const revision = scenario.statusOf(await scenario.waitForLeader()).revision;
    for (let count = 0; count < 60; count++) {
      await scenario.put("k", `${count}`);
    }
    await scenario.run(1_000);
    await expectInvariants(scenario);
    // Each put takes one revision, however often it was sent.
    expect(scenario.statusOf(await scenario.waitForLeader()).revision).toBe(revision + 60);
  });

  it.each([6010, 6011])(
    "SCENARIO-60 no blind retry: also while leaders are killed and moved, under every kind of write (seed %i)",
    async (seed) => {
      const scenario = await Scenario.start({
        seed,
        clientCount: 3,
        limits: { logGcMaxEntries: 30, logGcCheckIntervalMs: 100 },
      });
      scenario.startLoops();
      for (let round = 0; round < 4; round++) {
        loseAnswers(scenario, 0.1);
        repeatRequests(scenario, 0.3);
        await scenario.run(700);
        const leader = await scenario.waitForLeader();
        if (round % 2 === 0) {
          const restart = scenario.takeDown([leader], "kill");
          await scenario.run(300);
          restart();
        } else {
          scenario.transfer(scenario.others(leader)[0] as StoreMember);
        }
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(scenario.loopFailures).toEqual([]);
    },
  );
});

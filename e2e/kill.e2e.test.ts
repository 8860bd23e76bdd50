import { afterAll, beforeAll, expect, test } from "vitest";
import { everyStoreHasEverything } from "./caught-up.ts";
import { TestCluster, type TestStore } from "./cluster.ts";
import { pause, waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

const PREFIX = "a/";
/** Puts that must go on while nothing is wrong. */
const PUTS_PER_SECOND = 200;
const RECOVERY_MAX_MS = 10_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster.dispose());

/** Who is killed in each round. */
async function victimsOf(round: number): Promise<readonly TestStore[]> {
  switch (round % 3) {
    case 0:
      return [cluster.stores[round % cluster.stores.length] as TestStore];
    case 1:
      return [await cluster.leaderOf(PREFIX)];
    default:
      return cluster.stores;
  }
}

test("SCENARIO-7 kill -9 mid-load: any Store, the leader, all: no write lost or failed, back within 10 s", async () => {
  const client = await cluster.connect();
  const options = { prefixes: [PREFIX], concurrency: 32, valueBytes: 128, deadlineMs: 30_000 };
  const workload = new Workload(client, options);
  await waitFor("puts to be under way", 30_000, () => workload.acknowledgedCount > 0);
  const [before, startedMs] = [workload.acknowledgedCount, performance.now()];
  await pause(1_000);
  const perSecond = ((workload.acknowledgedCount - before) * 1_000) / (performance.now() - startedMs);
  expect(perSecond).toBeGreaterThan(PUTS_PER_SECOND);

  for (let round = 0; round < 6; round++) {
    const victims = await victimsOf(round);
    await Promise.all(victims.map((store) => store.kill()));
    const killedMs = performance.now();
    await Promise.all(victims.map((store) => store.launch()));
    // A put that begins after the kill is answered.
    await waitFor("puts to go on", RECOVERY_MAX_MS, () => workload.firstAnswerMs(PREFIX, killedMs));
    expect(performance.now() - killedMs).toBeLessThan(RECOVERY_MAX_MS);
    await everyStoreHasEverything(cluster);
  }
  await workload.stop();
  expect(workload.failures).toEqual([]);
  expect(await workload.lost(client)).toEqual([]);
  expect(cluster.unexpectedEnds()).toEqual([]);
}, 180_000);

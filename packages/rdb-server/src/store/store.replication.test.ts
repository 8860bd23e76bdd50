import { describe, expect, it } from "vitest";
import {
  SimCluster,
  type SimStore,
  Workload,
  contentOf,
  entryOnDisk,
  expectConverged,
  getCommand,
  putCommand,
} from "../testing/index.ts";

/** Longer than any election. */
const ELECTION_MS = 4_000;

describe("Store, alone", () => {
  it("SPEC-R1: elects itself, and has a proposal durable within 2 s of its start", async () => {
    const cluster = await SimCluster.start({ seed: 1, storeCount: 1 });
    const store = await cluster.waitForLeader();
    const before = cluster.statusOf(store).lastIndex;
    await cluster.put("a", "1");
    expect(cluster.clock.monotonicMs()).toBeLessThan(2_000);
    expect(cluster.statusOf(store).lastIndex).toBe(before + 1);

    store.crash();
    await cluster.complete(store.start());
    const restartMs = cluster.clock.monotonicMs();
    expect(await cluster.get("a")).toBe("1");
    expect(cluster.clock.monotonicMs() - restartMs).toBeLessThan(2_000);
  });
});

describe("three Stores", () => {
  it("SPEC-M1: elect a leader within 2 s of being told of the Region", async () => {
    const cluster = await SimCluster.start({ seed: 2 });
    await cluster.waitForLeader();
    expect(cluster.clock.monotonicMs()).toBeLessThan(2_000);
  });

  it("SPEC-R2: have an acknowledged write durably on two of them, at the same index and term", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      for (const store of cluster.stores) {
        store.slowDisk(5 + seed * store.storeId);
      }
      await cluster.put("a", "1");
      const index = cluster.statusOf(leader).lastIndex;
      cluster.stores.forEach((store) => store.crash());
      const entries = cluster.stores.map((store) => entryOnDisk(store, cluster.region.id, index));
      const present = entries.filter((entry) => entry !== undefined);
      expect(present.length).toBeGreaterThanOrEqual(2);
      expect(new Set(present).size).toBe(1);
    }
  });

  it("SPEC-R2: do not acknowledge what only the leader has durably", async () => {
    const cluster = await SimCluster.start({ seed: 3 });
    const leader = await cluster.waitForLeader();
    await cluster.put("a", "0");
    for (const follower of cluster.others(leader.storeId)) {
      follower.slowDisk(900);
    }
    const startMs = cluster.clock.monotonicMs();
    await cluster.put("a", "1");
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(900);
  });

  it("SPEC-R2: commit with two durable followers while the leader's own disk is slow", async () => {
    const cluster = await SimCluster.start({ seed: 4 });
    const leader = await cluster.waitForLeader();
    await cluster.put("a", "0");
    leader.slowDisk(700);
    const before = cluster.statusOf(leader).commitIndex;
    const call = cluster.client.call(putCommand("a", "1"));
    const tookMs = await cluster.until("commit", () => cluster.statusOf(leader).commitIndex > before);
    expect(tookMs).toBeLessThan(100);
    // Applied, and so answered, only once it is durable here.
    expect(cluster.statusOf(leader).appliedIndex).toBe(before);
    expect((await cluster.complete(call)).kind).toBe("ok");
  });

  it("SPEC-R3: keep all committed progress when all are restarted between rounds (SCENARIO-6)", async () => {
    const cluster = await SimCluster.start({ seed: 5 });
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 5; n++) {
        await cluster.put(`k${n}`, `${round}.${n}`);
      }
      cluster.stores.forEach((store) => store.crash());
      await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
      expect(await cluster.scan()).toEqual([0, 1, 2, 3, 4].map((n) => `k${n}=${round}.${n}`));
    }
    await expectConverged(cluster);
  });

  it("SPEC-R3: lose nothing acknowledged when all crash at any moment and lose unsynced writes", async () => {
    for (let seed = 0; seed < 25; seed++) {
      const cluster = await SimCluster.start({ seed });
      await cluster.waitForLeader();
      cluster.stores.forEach((store) => store.slowDisk(cluster.random.nextInt(20)));
      const acknowledged = new Map<string, string>();
      const calls = Array.from({ length: 30 }, async (_, n) => {
        const outcome = await cluster.newClient().call(putCommand(`k${n}`, `${n}`), { timeoutMs: 1_000 });
        if (outcome.kind === "ok") {
          acknowledged.set(`k${n}`, `${n}`);
        }
      });
      await cluster.run(cluster.random.nextInt(60));
      cluster.stores.forEach((store) => store.crash());
      const known = [...acknowledged];
      await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
      for (const [key, value] of known) {
        expect(await cluster.get(key), `seed ${seed}, ${key}`).toBe(value);
      }
      await cluster.complete(Promise.all(calls));
      await expectConverged(cluster);
    }
  });

  it("SPEC-R4: apply in the same order without gaps: versions are consecutive and contents equal", async () => {
    const cluster = await SimCluster.start({ seed: 6 });
    const versions: number[] = [];
    for (let n = 0; n < 20; n++) {
      versions.push(await cluster.put("k", `${n}`));
    }
    expect(versions).toEqual(versions.map((_, place) => (versions[0] ?? 0) + place));
    await expectConverged(cluster);
    for (const store of cluster.stores) {
      expect(await cluster.complete(contentOf(store))).toEqual([`k=19@${versions.at(-1)}`]);
    }
  });

  it("SPEC-R4: apply each entry once although it is replayed after a crash: counters are exact", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    await cluster.put("count", "0");
    for (let n = 0; n < 12; n++) {
      expect(await cluster.cas("count", `${n}`, `${n + 1}`)).toBe(true);
      const victim = cluster.stores[n % 3] as SimStore;
      victim.crash();
      await cluster.complete(victim.start());
    }
    expect(await cluster.get("count")).toBe("12");
    await expectConverged(cluster);
  });

  it("SPEC-R6: bring a Store that was down up to date within 5 s", async () => {
    const cluster = await SimCluster.start({ seed: 8 });
    const leader = await cluster.waitForLeader();
    const [away] = cluster.others(leader.storeId) as [SimStore];
    away.crash();
    for (let n = 0; n < 200; n++) {
      await cluster.put(`k${n}`, "x".repeat(1_000));
    }
    await cluster.complete(away.start());
    const tookMs = await cluster.until(
      "caught up",
      () => cluster.statusOf(away).appliedIndex === cluster.statusOf(leader).appliedIndex,
    );
    expect(tookMs).toBeLessThan(5_000);
    await expectConverged(cluster);
  });

  it("SPEC-R6: cut the tail of a leader that appended alone; its client never gets ok (SCENARIO-10, SCENARIO-11)", async () => {
    const cluster = await SimCluster.start({ seed: 9 });
    const old = await cluster.waitForLeader();
    await cluster.put("a", "committed");
    const rest = cluster.others(old.storeId);
    cluster.network.partition(
      [old.storeId],
      rest.map((store) => store.storeId),
    );
    const lost = [1, 2, 3].map((n) =>
      cluster.newClient().call(putCommand("a", `lost ${n}`), { only: old.storeId, timeoutMs: 20_000 }),
    );
    await cluster.until(
      "appended alone",
      () => cluster.statusOf(old).lastIndex > cluster.statusOf(old).commitIndex,
    );
    const tail = cluster.statusOf(old).lastIndex;
    const next = await cluster.waitForLeader((store) => store !== old);
    await cluster.put("b", "kept", { only: next.storeId });
    await cluster.put("c", "kept", { only: next.storeId });
    const overwritten = entryOnDisk(old, cluster.region.id, tail);
    cluster.network.heal();
    for (const outcome of await cluster.complete(Promise.all(lost))) {
      expect(outcome.kind).not.toBe("ok");
    }
    await expectConverged(cluster);
    expect(entryOnDisk(old, cluster.region.id, tail)).not.toBe(overwritten);
    expect(await cluster.scan()).toEqual(["a=committed", "b=kept", "c=kept"]);
  });

  it("SPEC-R7: go on writing while a follower is down", async () => {
    const cluster = await SimCluster.start({ seed: 10 });
    const leader = await cluster.waitForLeader();
    cluster.others(leader.storeId)[0]?.crash();
    const startMs = cluster.clock.monotonicMs();
    for (let n = 0; n < 50; n++) {
      await cluster.put(`k${n}`, `${n}`);
    }
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(500);
  });

  it("SPEC-R7: lose nothing acknowledged when the leader is killed right after", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      cluster.stores.forEach((store) => store.slowDisk(cluster.random.nextInt(10)));
      await cluster.put("a", `${seed}`);
      leader.crash();
      const killedMs = cluster.clock.monotonicMs();
      await cluster.waitForLeader();
      expect(await cluster.get("a"), `seed ${seed}`).toBe(`${seed}`);
      await cluster.put("b", "1");
      expect(cluster.clock.monotonicMs() - killedMs).toBeLessThan(3_000);
      await cluster.complete(leader.start());
      await expectConverged(cluster);
    }
  });
});

describe("five Stores", () => {
  it("SPEC-R5: go on in the majority with the leader; the others catch up (SCENARIO-3)", async () => {
    const cluster = await SimCluster.start({ seed: 11, storeCount: 5 });
    const leader = await cluster.waitForLeader();
    const [a, b, c, d] = cluster.others(leader.storeId) as [SimStore, SimStore, SimStore, SimStore];
    cluster.network.partition([leader.storeId, a.storeId, b.storeId], [c.storeId, d.storeId]);
    await cluster.put("k1", "v1");
    await cluster.run(ELECTION_MS);
    for (const cutOff of [c, d]) {
      expect(await cluster.complete(contentOf(cutOff))).toEqual([]);
    }
    cluster.network.heal();
    await expectConverged(cluster);
    expect(await cluster.complete(contentOf(c))).toEqual(["k1=v1@1"]);
  });

  it("SPEC-R5: elect anew in the majority; a minority commits nothing and serves no read (SCENARIO-4)", async () => {
    const cluster = await SimCluster.start({ seed: 12, storeCount: 5 });
    const old = await cluster.waitForLeader();
    await cluster.put("k1", "old");
    const [companion, ...majority] = cluster.others(old.storeId) as [SimStore, ...SimStore[]];
    const ids = majority.map((store) => store.storeId);
    cluster.network.partition([old.storeId, companion.storeId], ids);
    const commit = cluster.statusOf(old).commitIndex;
    const cutMs = cluster.clock.monotonicMs();

    const write = cluster
      .newClient()
      .call(putCommand("k1", "minority"), { only: old.storeId, timeoutMs: 60_000 });
    const next = await cluster.waitForLeader((store) => ids.includes(store.storeId));
    await cluster.put("k1", "new", { only: next.storeId });
    for (const minority of [old, companion]) {
      const read = cluster.call(getCommand("k1"), { only: minority.storeId, timeoutMs: 5_000 });
      const outcome = await read;
      expect(outcome.kind).not.toBe("ok");
    }
    // The client of the lost write gets an error long before its own deadline.
    expect((await cluster.complete(write)).kind).toBe("unknown");
    expect(cluster.clock.monotonicMs() - cutMs).toBeLessThan(12_000);
    expect(cluster.statusOf(old).commitIndex).toBe(commit);
    expect(cluster.statusOf(companion).commitIndex).toBe(commit);

    cluster.network.heal();
    await expectConverged(cluster);
    expect(await cluster.get("k1")).toBe("new");
  });

  it("SPEC-R5: answer in bounded time when most are down, and resume at their return (SCENARIO-14)", async () => {
    const cluster = await SimCluster.start({ seed: 13, storeCount: 5 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    const down = cluster.others(leader.storeId).slice(0, 3);
    down.forEach((store) => store.crash());
    const write = await cluster.call(putCommand("k", "2"), { timeoutMs: 5_000 });
    expect(write.kind).not.toBe("ok");
    const read = await cluster.call(getCommand("k"), { timeoutMs: 5_000 });
    expect(read.kind).not.toBe("ok");
    await cluster.complete(Promise.all(down.map((store) => store.start())));
    await cluster.put("k", "3");
    expect(await cluster.get("k")).toBe("3");
    await expectConverged(cluster);
  });
});

describe("a new leader", () => {
  it("serves a read only when it has applied what was committed before it (SCENARIO-12)", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const cluster = await SimCluster.start({ seed });
      const old = await cluster.waitForLeader();
      await cluster.put("a", "old");
      // The followers have the entry in their logs, and their commit index lags.
      await cluster.put("a", "new");
      old.crash();
      const next = await cluster.waitForLeader();
      next.slowDisk(300);
      expect(await cluster.get("a", { only: next.storeId })).toBe("new");
    }
  });
});

describe("a bad network", () => {
  it("makes clients slower, never wrong, at any rate of loss (SCENARIO-2)", async () => {
    for (const [seed, lossRate] of [0.1, 0.2, 0.3, 0.5].entries()) {
      const cluster = await SimCluster.start({ seed });
      await cluster.waitForLeader();
      cluster.network.setAll({ lossRate });
      const workload = new Workload(cluster, { clientCount: 5, keys: ["a", "b"], pauseMaxMs: 20 });
      await cluster.run(6_000);
      cluster.network.heal();
      await workload.stop();
      await workload.judge();
      expect(workload.okCount, `loss rate ${lossRate}`).toBeGreaterThan(20);
      await expectConverged(cluster);
    }
  });

  it("that delays and loses for a second is got over within 5 s (SCENARIO-20)", async () => {
    for (let seed = 0; seed < 4; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      const victim = seed % 2 === 0 ? leader : (cluster.others(leader.storeId)[0] as SimStore);
      const workload = new Workload(cluster, { clientCount: 5, keys: ["a", "b"], pauseMaxMs: 10 });
      for (const other of cluster.others(victim.storeId)) {
        const bad = { minDelayMs: 25, maxDelayMs: 125, lossRate: 0.5 };
        cluster.network.setLink(victim.storeId, other.storeId, bad);
        cluster.network.setLink(other.storeId, victim.storeId, bad);
      }
      await cluster.run(1_000);
      cluster.network.heal();
      const startMs = cluster.clock.monotonicMs();
      await cluster.put("done", "1");
      await cluster.get("done");
      expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(5_000);
      await workload.stop();
      await workload.judge();
      await expectConverged(cluster);
    }
  });
});

describe("the log of events", () => {
  it("SPEC-R8: says who, in which term, and how far log, commit and apply are, at each change of role", async () => {
    const cluster = await SimCluster.start({ seed: 1 });
    const leader = await cluster.waitForLeader();
    await cluster.run(10);
    const lines = cluster.trace.tail(1_000).split("\n");
    const line = lines.find((one) => one.includes("role=Leader"));
    expect(line).toMatch(
      new RegExp(
        `store=${leader.storeId} region=1 peer=10${leader.storeId} term=6 index=6 commit=5 applied=5 role=Leader`,
      ),
    );
  });
});

import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, expectConverged, getCommand, putCommand } from "../testing/index.ts";

const BUSY = { kind: "failed", error: { reason: { case: "serverIsBusy" } } };

/** Sends many writes at once to one Store, each asked once. @returns how many ended how */
async function flood(
  cluster: SimCluster,
  store: SimStore,
  count: number,
  value: string,
): Promise<Map<string, number>> {
  const outcomes = await cluster.complete(
    Promise.all(
      Array.from({ length: count }, (_, n) =>
        cluster.newClient().call(putCommand(`k${n}`, value), { only: store.storeId, timeoutMs: 20_000 }),
      ),
    ),
  );
  const tally = new Map<string, number>();
  for (const outcome of outcomes) {
    const kind = outcome.kind === "ok" ? "ok" : (outcome.error?.reason.case ?? outcome.kind);
    tally.set(kind, (tally.get(kind) ?? 0) + 1);
  }
  return tally;
}

describe("a Store's bounds", () => {
  it("refuse writes when its queue of proposals is full, and lose none that it took", async () => {
    const cluster = await SimCluster.start({ seed: 1, config: { raft: { proposalQueueMaxCount: 20 } } });
    const leader = await cluster.waitForLeader();
    const tally = await flood(cluster, leader, 50, "x");
    expect(tally.get("ok")).toBe(20);
    expect(tally.get("serverIsBusy")).toBe(30);
    expect(await cluster.scan()).toHaveLength(20);
  });

  it("refuse writes when too much is uncommitted, so that a cut-off leader does not grow", async () => {
    const cluster = await SimCluster.start({
      seed: 2,
      config: { raft: { maxUncommittedBytes: 10_000, entryMaxBytes: 1_000 } },
    });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    cluster.network.partition(
      [leader.storeId],
      cluster.others(leader.storeId).map((store) => store.storeId),
    );
    const tally = await flood(cluster, leader, 100, "x".repeat(500));
    expect(tally.get("ok")).toBeUndefined();
    expect(tally.get("serverIsBusy")).toBeGreaterThan(50);
    cluster.network.heal();
    await expectConverged(cluster);
  });

  it("refuse writes, not reads, when the writer is behind, and catch up", async () => {
    const cluster = await SimCluster.start({
      seed: 3,
      config: {
        unwrittenMaxBytes: 1024 * 1024,
        slowDiskMs: 60_000,
        raft: { maxInflightBytes: 64 * 1024 * 1024 },
      },
    });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    await cluster.get("k");
    leader.slowDisk(5_000);
    const value = "x".repeat(100_000);
    const first = flood(cluster, leader, 12, value);
    await cluster.clock.run(50);
    expect(leader.store.health().unwrittenBytes).toBeGreaterThan(1024 * 1024);
    const refused = await cluster.call(putCommand("late", "1"), { only: leader.storeId, timeoutMs: 100 });
    expect(refused).toMatchObject(BUSY);
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    await first;
    leader.slowDisk(0);
    await expectConverged(cluster);
    await cluster.put("late", "2");
  });

  it("refuse appends, and ask for them again, when a follower's writer is behind", async () => {
    const cluster = await SimCluster.start({
      seed: 4,
      config: { unwrittenMaxBytes: 1024 * 1024, slowDiskMs: 60_000 },
    });
    const leader = await cluster.waitForLeader();
    const [slow] = cluster.others(leader.storeId) as [SimStore];
    // From now on the leader sends without waiting for answers.
    await cluster.put("k", "1");
    await expectConverged(cluster);
    slow.slowDisk(3_000);
    for (let n = 0; n < 80; n++) {
      await cluster.put(`k${n}`, "x".repeat(100_000));
    }
    expect(slow.store.health().unwrittenBytes).toBeLessThan(4 * 1024 * 1024);
    slow.slowDisk(0);
    await expectConverged(cluster);
  });

  it("refuse reads when the queue of reads is full", async () => {
    const cluster = await SimCluster.start({
      seed: 5,
      config: { raft: { readQueueMaxCount: 10 }, leaseReads: false },
    });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    const outcomes = await cluster.complete(
      Promise.all(
        Array.from({ length: 25 }, () => cluster.newClient().call(getCommand("k"), { only: leader.storeId })),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.kind === "ok")).toHaveLength(10);
    expect(outcomes.find((outcome) => outcome.kind !== "ok")).toMatchObject(BUSY);
  });

  it("hand their leaderships over when their disk is full, so that writes go on", async () => {
    const cluster = await SimCluster.start({ seed: 60 });
    const leader = await cluster.waitForLeader();
    leader.diskFreeBytes = 1;
    const next = await cluster.waitForLeader((store) => store !== leader);
    await cluster.put("k", "1", { only: next.storeId });
    expect(leader.store.health()).toMatchObject({ isFull: true, leaderCount: 0 });
  });

  it("refuse writes with diskFull when all disks are, and take them when there is room again", async () => {
    const cluster = await SimCluster.start({ seed: 6 });
    await cluster.waitForLeader();
    await cluster.put("k", "1");
    cluster.stores.forEach((store) => (store.diskFreeBytes = 1));
    // By then nobody hands the leadership on any more.
    await cluster.run(8_000);
    const leader = await cluster.waitForLeader();
    expect(await cluster.call(putCommand("k", "2"), { only: leader.storeId })).toMatchObject({
      kind: "failed",
      error: { reason: { case: "diskFull" } },
    });
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    expect(leader.store.health().isFull).toBe(true);
    cluster.stores.forEach((store) => (store.diskFreeBytes = Number.MAX_SAFE_INTEGER));
    await cluster.run(1_500);
    await cluster.put("k", "3");
  });

  it("end a write whose caller's time runs out as unknown, at that time", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    const leader = await cluster.waitForLeader();
    cluster.others(leader.storeId).forEach((store) => store.slowDisk(900));
    const patient = cluster.newClient().call(putCommand("a", "1"), { timeoutMs: 10_000 });
    const startMs = cluster.clock.monotonicMs();
    const hasty = await cluster.complete(cluster.newClient().call(putCommand("b", "1"), { timeoutMs: 200 }));
    expect(hasty.kind).toBe("unknown");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(300);
    expect((await cluster.complete(patient)).kind).toBe("ok");
  });
});

describe("a Store that stops", () => {
  it("answers everybody", async () => {
    const cluster = await SimCluster.start({ seed: 8 });
    const leader = await cluster.waitForLeader();
    cluster.stores.forEach((store) => store.slowDisk(50));
    const calls = Array.from({ length: 20 }, (_, n) => [
      cluster.newClient().call(putCommand(`k${n}`, "1"), { timeoutMs: 60_000 }),
      cluster.newClient().call(getCommand(`k${n}`), { timeoutMs: 60_000 }),
    ]).flat();
    await cluster.run(1);
    await cluster.complete(leader.stop());
    await cluster.complete(Promise.all(calls), 10_000);
  });

  it("twice, stops once: both calls end when it is done", async () => {
    const cluster = await SimCluster.start({ seed: 9 });
    const leader = await cluster.waitForLeader();
    const first = leader.store.close();
    await cluster.complete(leader.store.close());
    expect(cluster.leader()).not.toBe(leader);
    await cluster.complete(first);
  });

  it("makes everything durable: a power failure right after it loses nothing", async () => {
    const cluster = await SimCluster.start({ seed: 10, storeCount: 1 });
    const [store] = cluster.stores as [SimStore];
    await cluster.put("k", "1");
    await cluster.complete(store.store.close());
    const before = store.store.regionStatus(cluster.region.id)?.appliedIndex;
    store.crash();
    await cluster.complete(store.start());
    expect(store.store.regionStatus(cluster.region.id)?.appliedIndex).toBe(before);
  });

  it("or fails to write, ends its process, and its peers go on without it", async () => {
    const cluster = await SimCluster.start({ seed: 11 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    leader.disk.failWrites("no space left");
    void cluster.newClient().call(putCommand("k", "2"));
    await cluster.until("the process ends", () => !leader.isRunning);
    expect(leader.fatalError?.code).toBe("RDB_STORAGE_FAILED");
    await cluster.put("k", "3");
  });
});

describe("damaged data", () => {
  it("quarantines the peer that met it, and no other; the others lead on, and PD is told", async () => {
    const cluster = await SimCluster.start({ seed: 12, splitKeys: ["m"], config: { hibernateAfterMs: 0 } });
    const leader = await cluster.waitForLeader();
    await cluster.put("apple", "1");
    await expectConverged(cluster);
    leader.disk.damage("data", new TextEncoder().encode("apple"));
    const read = await cluster.call(getCommand("apple"), { only: leader.storeId });
    expect(read).toMatchObject({ kind: "failed", error: { reason: { case: "dataCorrupt" } } });
    expect(leader.store.regionStatuses().map((status) => status.isDamaged)).toEqual([true, false]);
    expect(await cluster.get("apple")).toBe("1");
    const next = await cluster.waitForLeader((store) => store !== leader);
    const { peerId } = cluster.statusOf(leader);
    await cluster.until("PD is told", () => cluster.statusOf(next).damagedPeerIds.includes(peerId));
  });
});

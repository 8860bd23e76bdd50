import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, contentOf, expectConverged, getCommand } from "../testing/index.ts";

const LOG_LIMIT = 10;

/** A cluster with short logs, whose last Store is cut off and so far behind that the log no longer serves it. */
async function laggingCluster(
  seed: number,
  valueBytes = 1,
): Promise<{ cluster: SimCluster; leader: SimStore; away: SimStore }> {
  const cluster = await SimCluster.start({
    seed,
    config: { logGc: { maxEntries: LOG_LIMIT, checkIntervalMs: 100 }, hibernateAfterMs: 0 },
  });
  const leader = await cluster.waitForLeader();
  await cluster.put("gone", "1");
  await expectConverged(cluster);
  const away = cluster.others(leader.storeId)[1] as SimStore;
  cluster.isolate(away);
  for (let n = 0; n < 15; n++) {
    await cluster.put(`k${n}`, `${seed}.${n}`.padEnd(valueBytes, "x"), { only: leader.storeId });
  }
  await cluster.delete("gone");
  // The GC looks now and then, past the limit at everything that is applied.
  await cluster.until(
    "the log is cut",
    () => cluster.statusOf(leader).firstIndex > cluster.statusOf(away).lastIndex + 1,
  );
  return { cluster, leader, away };
}

describe("log GC", () => {
  it("keeps the log within twice its limit (SCENARIO-33)", async () => {
    const cluster = await SimCluster.start({
      seed: 1,
      config: { logGc: { maxEntries: LOG_LIMIT, checkIntervalMs: 50 } },
    });
    const leader = await cluster.waitForLeader();
    for (let n = 0; n < 100; n++) {
      await cluster.put("k", `${n}`);
      await cluster.run(10);
    }
    await cluster.run(200);
    for (const store of cluster.stores) {
      const { firstIndex, lastIndex } = cluster.statusOf(store);
      expect(lastIndex - firstIndex + 1).toBeLessThanOrEqual(2 * LOG_LIMIT);
    }
    expect(cluster.leader()).toBe(leader);
    await expectConverged(cluster);
  });

  it("waits for a live follower that is behind, below the limit", async () => {
    const cluster = await SimCluster.start({
      seed: 2,
      config: { logGc: { maxEntries: 1_000, checkIntervalMs: 50 } },
    });
    const leader = await cluster.waitForLeader();
    const slow = cluster.others(leader.storeId)[0] as SimStore;
    slow.slowDisk(800);
    for (let n = 0; n < 300; n++) {
      await cluster.put("k", `${n}`);
    }
    await cluster.run(100);
    expect(cluster.statusOf(leader).firstIndex).toBeLessThanOrEqual(cluster.statusOf(slow).lastIndex + 1);
    slow.slowDisk(0);
    await expectConverged(cluster);
  });

  it("cuts each peer's log at what it has applied itself, and survives a crash at any time", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const cluster = await SimCluster.start({
        seed,
        config: { logGc: { maxEntries: LOG_LIMIT, checkIntervalMs: 20 } },
      });
      await cluster.waitForLeader();
      for (let n = 0; n < 40; n++) {
        await cluster.put("k", `${n}`);
        if (cluster.random.nextInt(8) === 0) {
          const victim = cluster.stores[cluster.random.nextInt(3)] as SimStore;
          victim.crash();
          await cluster.complete(victim.start());
        }
      }
      await expectConverged(cluster);
      expect(await cluster.get("k")).toBe("39");
    }
  });
});

describe("a Store that the log no longer serves", () => {
  it("gets a snapshot when it is back (SCENARIO-33)", async () => {
    const { cluster, leader, away } = await laggingCluster(3);
    cluster.network.heal();
    const tookMs = await cluster.until(
      "caught up",
      () => cluster.statusOf(away).appliedIndex === cluster.statusOf(leader).appliedIndex,
    );
    expect(tookMs).toBeLessThan(5_000);
    await expectConverged(cluster);
    expect(await cluster.complete(contentOf(away))).not.toContain("gone=1@1");
    expect(cluster.trace.has("the snapshot is applied")).toBe(true);
    expect(away.snapshotFiles.ids).toEqual([]);

    away.crash();
    await cluster.complete(away.start());
    await expectConverged(cluster);
    const { firstIndex, lastIndex } = cluster.statusOf(away);
    expect(lastIndex - firstIndex + 1).toBeLessThanOrEqual(2 * LOG_LIMIT);
  });

  it("tells PD's report that its peer is behind", async () => {
    const { cluster, leader, away } = await laggingCluster(4);
    await cluster.run(cluster.config.storeSilentMs + cluster.config.livenessIntervalMs);
    expect(cluster.statusOf(leader).downPeerIds).toEqual([cluster.statusOf(away).peerId]);
    expect(cluster.statusOf(leader).pendingPeerIds).toEqual([cluster.statusOf(away).peerId]);
    cluster.network.heal();
    await expectConverged(cluster);
    await cluster.run(1_000);
    expect(cluster.statusOf(leader).downPeerIds).toEqual([]);
    expect(cluster.statusOf(leader).pendingPeerIds).toEqual([]);
  });

  it("installs the snapshot anew when it crashed in the middle, at whatever moment", async () => {
    for (let seed = 0; seed < 25; seed++) {
      const { cluster, away } = await laggingCluster(seed);
      away.slowDisk(4);
      cluster.network.heal();
      await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
      await cluster.run(cluster.random.nextInt(30));
      away.crash();
      await cluster.complete(away.start());
      await expectConverged(cluster);
      expect(away.snapshotFiles.ids, `seed ${seed}`).toEqual([]);
    }
  });

  it("installs it anew, too, when its rows take several passes of the writer", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { cluster, away } = await laggingCluster(seed, 300_000);
      away.slowDisk(4);
      cluster.network.heal();
      await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
      await cluster.run(cluster.random.nextInt(50));
      away.crash();
      await cluster.complete(away.start());
      await expectConverged(cluster);
    }
  });

  it("refuses reads while the snapshot is installed, and writes go on", async () => {
    const { cluster, leader, away } = await laggingCluster(5);
    away.slowDisk(300);
    cluster.network.heal();
    await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
    const read = await cluster.call(getCommand("gone"), {
      only: away.storeId,
      fromFollower: true,
      timeoutMs: 200,
    });
    expect(read.kind).not.toBe("ok");
    expect(cluster.trace.has("the snapshot is applied")).toBe(false);
    await cluster.put("k", "meanwhile", { only: leader.storeId });
    await expectConverged(cluster);
  });

  it("gets it in spite of losses on the way (SCENARIO-34)", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const { cluster } = await laggingCluster(seed);
      cluster.network.heal();
      cluster.network.setAll({ lossRate: 0.3, maxDelayMs: 20 });
      await cluster.run(3_000);
      cluster.network.heal();
      await expectConverged(cluster);
    }
  });

  it("takes appends that arrive behind the snapshot before it is installed (SCENARIO-37)", async () => {
    const { cluster, leader, away } = await laggingCluster(6);
    away.slowDisk(200);
    cluster.network.heal();
    await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
    let rejectedCount = 0;
    cluster.network.intercept = ({ payload, fromPeer }) => {
      const isRejection =
        payload.kind === "raft" && payload.message.type === "MsgAppResp" && payload.message.reject;
      rejectedCount += isRejection && fromPeer.storeId === away.storeId ? 1 : 0;
      return "deliver";
    };
    // Few enough that the log still serves what follows the snapshot.
    for (let n = 0; n < LOG_LIMIT / 2; n++) {
      await cluster.put(`later${n}`, "1", { only: leader.storeId });
    }
    expect(cluster.trace.has("the snapshot is applied")).toBe(false);
    await expectConverged(cluster);
    expect(rejectedCount).toBe(0);
  });

  it("drops a second snapshot that arrives while one is installed (SCENARIO-37)", async () => {
    const { cluster, leader, away } = await laggingCluster(7);
    away.slowDisk(100);
    cluster.network.heal();
    // The first transfer seems to fail, so the leader sends another.
    let sentCount = 0;
    cluster.network.intercept = ({ payload }) => {
      if (payload.kind === "raft" && payload.message.type === "MsgSnap") {
        sentCount++;
      }
      return "deliver";
    };
    await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
    leader.call((store) =>
      store.snapshotStatus({
        regionId: cluster.region.id,
        toPeerId: cluster.statusOf(away).peerId,
        ok: false,
      }),
    );
    await expectConverged(cluster);
    expect(sentCount).toBeGreaterThanOrEqual(1);
    expect(away.snapshotFiles.ids).toEqual([]);
  });

  it("is installed from the same files again when they cannot be read at once", async () => {
    const { cluster, away } = await laggingCluster(9);
    away.snapshotFiles.failingReadCount = 4;
    cluster.network.heal();
    await expectConverged(cluster);
    expect(away.snapshotFiles.failingReadCount).toBe(0);
    expect(away.snapshotFiles.ids).toEqual([]);
  });

  it.each(["while it runs", "when it starts again"])(
    "is damaged, and told of, when they cannot be read at all %s",
    async (when) => {
      const { cluster, leader, away } = await laggingCluster(10);
      away.slowDisk(4);
      away.snapshotFiles.failingReadCount = when === "while it runs" ? 100 : 0;
      cluster.network.heal();
      await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
      if (when === "when it starts again") {
        await cluster.run(15);
        away.crash();
        away.snapshotFiles.failingReadCount = 100;
        await cluster.complete(away.start());
      }
      await cluster.until("it gives up", () => cluster.trace.has("a snapshot is lost: the peer is damaged"));
      const { peerId } = cluster.statusOf(away);
      await cluster.until("PD is told", () => cluster.statusOf(leader).damagedPeerIds.includes(peerId));
      expect(await cluster.complete(contentOf(away))).toEqual([]);
      const read = await cluster.call(getCommand("gone"), {
        only: away.storeId,
        fromFollower: true,
        timeoutMs: 500,
      });
      expect(read.kind).toBe("failed");
      away.crash();
      away.snapshotFiles.failingReadCount = 0;
      await cluster.complete(away.start());
      expect(cluster.statusOf(away).isDamaged).toBe(true);
      // Its acknowledgements are as good as ever.
      const third = cluster.others(leader.storeId, away.storeId)[0] as SimStore;
      cluster.isolate(third);
      await cluster.put("k", "meanwhile", { only: leader.storeId });
    },
  );

  it("needs no second one, however much is written while the first is installed", async () => {
    const { cluster, leader, away } = await laggingCluster(11);
    away.slowDisk(500);
    let sentCount = 0;
    cluster.network.intercept = ({ payload }) => {
      sentCount += payload.kind === "raft" && payload.message.type === "MsgSnap" ? 1 : 0;
      return "deliver";
    };
    cluster.network.setAll({ isCut: false });
    await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
    for (let n = 0; n < 2 * LOG_LIMIT; n++) {
      await cluster.put(`more${n}`, "1", { only: leader.storeId });
      await cluster.run(15);
    }
    expect(cluster.trace.has("the snapshot is applied")).toBe(false);
    away.slowDisk(0);
    await expectConverged(cluster);
    expect(sentCount).toBe(1);
    await cluster.run(500);
    const { firstIndex, lastIndex } = cluster.statusOf(leader);
    expect(lastIndex - firstIndex + 1).toBeLessThanOrEqual(2 * LOG_LIMIT);
  });

  it("holds the log up to a limit only", async () => {
    const { cluster, leader, away } = await laggingCluster(12);
    away.slowDisk(1_500);
    cluster.network.heal();
    await cluster.until("the installation begins", () => cluster.trace.has("a snapshot is installed"));
    for (let n = 0; n < 10 * LOG_LIMIT; n++) {
      await cluster.put(`more${n}`, "1", { only: leader.storeId });
    }
    await cluster.run(200);
    expect(cluster.trace.has("the snapshot is applied")).toBe(false);
    const { firstIndex, lastIndex } = cluster.statusOf(leader);
    expect(lastIndex - firstIndex + 1).toBeLessThanOrEqual(5 * LOG_LIMIT);
    away.slowDisk(0);
    await expectConverged(cluster);
  });

  it("refuses a snapshot while its disk is nearly full, and gets it when there is room", async () => {
    const { cluster, away } = await laggingCluster(8);
    away.diskFreeBytes = 0;
    await cluster.run(2_000);
    cluster.network.heal();
    await cluster.run(3_000);
    expect(cluster.trace.has("a snapshot is installed")).toBe(false);
    away.diskFreeBytes = Number.MAX_SAFE_INTEGER;
    await expectConverged(cluster);
  });
});

import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, expectConverged, getCommand, putCommand } from "../testing/index.ts";

/** The longest election timeout of the default configuration. */
const ELECTION_MS = 2_000;

function statusOf(cluster: SimCluster, store: SimStore) {
  const status = store.store.regionStatus(cluster.region.id);
  if (status === undefined) {
    throw new Error(`Store ${store.storeId} has no peer`);
  }
  return status;
}

function isolate(cluster: SimCluster, store: SimStore): void {
  const others = cluster.others(store.storeId).map((other) => other.storeId);
  cluster.network.partition([store.storeId], others);
}

describe("an election", () => {
  it("is over within 3 s of the leader's death, whoever led", async () => {
    for (let seed = 0; seed < 15; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      await cluster.run(seed * 17);
      leader.crash();
      const tookMs = await cluster.until("another leads", () => cluster.leader() !== undefined);
      expect(tookMs, `seed ${seed}`).toBeLessThan(3_000);
    }
  });

  it("does not tie: survivors campaign in different slices of the span", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      const { term } = statusOf(cluster, leader);
      await cluster.run(300 + seed);
      leader.crash();
      const next = await cluster.waitForLeader();
      expect(statusOf(cluster, next).term, `seed ${seed}`).toBe(term + 1);
    }
  });

  it("does not happen when an isolated follower returns: leader and term are unchanged (scenario 21)", async () => {
    const cluster = await SimCluster.start({ seed: 1 });
    const leader = await cluster.waitForLeader();
    const { term } = statusOf(cluster, leader);
    const [away] = cluster.others(leader.storeId) as [SimStore];
    isolate(cluster, away);
    await cluster.run(10 * ELECTION_MS);
    await cluster.put("k", "1");
    cluster.network.heal();
    await expectConverged(cluster);
    expect(cluster.leader()).toBe(leader);
    expect(statusOf(cluster, leader).term).toBe(term);
    expect(statusOf(cluster, away).term).toBe(term);
  });

  it("is not needed while a pair of five is cut off (scenario 22)", async () => {
    const cluster = await SimCluster.start({ seed: 2, storeCount: 5 });
    const leader = await cluster.waitForLeader();
    const { term } = statusOf(cluster, leader);
    const [a, b, c, d] = cluster.others(leader.storeId) as [SimStore, SimStore, SimStore, SimStore];
    cluster.network.partition([a.storeId, b.storeId], [leader.storeId, c.storeId, d.storeId]);
    for (let n = 0; n < 20; n++) {
      await cluster.put(`k${n}`, "1");
      await cluster.run(ELECTION_MS / 10);
    }
    cluster.network.heal();
    await expectConverged(cluster);
    expect(statusOf(cluster, leader).term).toBe(term);
  });

  it("is won by one in the majority when links fail in one direction only (scenario 23)", async () => {
    const cluster = await SimCluster.start({ seed: 3 });
    const leader = await cluster.waitForLeader();
    for (const other of cluster.others(leader.storeId)) {
      // The leader is heard but hears nobody: it must step down rather than lead on in silence.
      cluster.network.setLink(other.storeId, leader.storeId, { isCut: true });
    }
    const tookMs = await cluster.until("another leads", () => {
      const now = cluster.leader();
      return now !== undefined && now !== leader;
    });
    expect(tookMs).toBeLessThan(3 * ELECTION_MS);
    await cluster.put("k", "1");
  });
});

describe("a leader", () => {
  it("in a minority steps down and refuses writes in bounded time (SPEC-R5)", async () => {
    const cluster = await SimCluster.start({ seed: 4 });
    const leader = await cluster.waitForLeader();
    isolate(cluster, leader);
    await cluster.until("it steps down", () => !statusOf(cluster, leader).isLeader, 2 * ELECTION_MS);
    const outcome = await cluster.call(putCommand("k", "1"), { only: leader.storeId });
    expect(outcome).toMatchObject({ kind: "failed", error: { reason: { case: "notLeader" } } });
  });

  it("is moved around all Stores while writes go on (scenario 25)", async () => {
    const cluster = await SimCluster.start({ seed: 5, storeCount: 5 });
    await cluster.waitForLeader();
    let stopped = false;
    let writeCount = 0;
    const writer = (async () => {
      while (!stopped) {
        const outcome = await cluster.client.call(putCommand("k", `${writeCount}`), { timeoutMs: 3_000 });
        expect(outcome.kind).toBe("ok");
        writeCount++;
      }
    })();
    for (const store of cluster.stores) {
      const leader = await cluster.waitForLeader();
      const target = cluster.region.peers.find((peer) => peer.storeId === store.storeId);
      if (target !== undefined && leader !== store) {
        leader.store.transferLeader(cluster.region.id, cluster.region.epoch, target.id);
        const tookMs = await cluster.until("the target leads", () => cluster.leader() === store);
        expect(tookMs).toBeLessThan(100);
      }
      await cluster.run(100);
    }
    stopped = true;
    await cluster.complete(writer);
    expect(writeCount).toBeGreaterThan(100);
    await expectConverged(cluster);
  });

  it("gives a transfer up that cannot be done, and takes proposals again (scenario 26)", async () => {
    const cluster = await SimCluster.start({ seed: 6 });
    const leader = await cluster.waitForLeader();
    const [target] = cluster.others(leader.storeId) as [SimStore];
    isolate(cluster, target);
    await cluster.put("k", "1");
    const peer = cluster.region.peers.find((candidate) => candidate.storeId === target.storeId);
    leader.store.transferLeader(cluster.region.id, cluster.region.epoch, peer?.id ?? (0 as never));
    const during = await cluster.call(putCommand("k", "2"), { only: leader.storeId, timeoutMs: 100 });
    expect(during).toMatchObject({ kind: "failed", error: { reason: { case: "serverIsBusy" } } });
    await cluster.put("k", "3", { timeoutMs: ELECTION_MS });
    expect(cluster.leader()).toBe(leader);
  });

  it("ignores a transfer for another epoch, or to itself", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    const leader = await cluster.waitForLeader();
    const own = statusOf(cluster, leader).peerId;
    leader.store.transferLeader(
      cluster.region.id,
      { confVer: 9, version: 9 },
      cluster.region.peers[1]?.id ?? own,
    );
    leader.store.transferLeader(cluster.region.id, cluster.region.epoch, own);
    await cluster.run(ELECTION_MS);
    expect(cluster.leader()).toBe(leader);
    await cluster.put("k", "1");
  });

  it("hands over when its Store stops, so that writes go on at once", async () => {
    const cluster = await SimCluster.start({ seed: 8 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    const stopped = leader.stop();
    const tookMs = await cluster.until("another leads", () => {
      const now = cluster.leader();
      return now !== undefined && now !== leader;
    });
    expect(tookMs).toBeLessThan(200);
    await cluster.complete(stopped);
    const startMs = cluster.clock.monotonicMs();
    await cluster.put("k", "2");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(300);
    await cluster.complete(leader.start());
    await expectConverged(cluster);
    expect(await cluster.get("k")).toBe("2");
  });

  it("answers the writes that the next leader commits before its Store ends", async () => {
    const cluster = await SimCluster.start({ seed: 10 });
    const leader = await cluster.waitForLeader();
    await cluster.put("a", "0");
    const [, third] = cluster.others(leader.storeId);
    third?.crash();
    await cluster.until("its silence is noticed", () => statusOf(cluster, leader).downPeerIds.length > 0);
    // What the successor has is committed only when the leader's own disk has it, some time after the hand-over.
    leader.slowDisk(100);
    const writing = cluster.client.call(putCommand("a", "1"), { only: leader.storeId });
    await cluster.run(1);
    const stopped = leader.stop();
    const [outcome] = await cluster.complete(Promise.all([writing, stopped]));
    expect(outcome).toMatchObject({ kind: "ok" });
  });

  it("of the last Store that stops does not wait for anybody to take over", async () => {
    const cluster = await SimCluster.start({ seed: 9, storeCount: 1 });
    await cluster.put("k", "1");
    const startMs = cluster.clock.monotonicMs();
    await cluster.complete((cluster.stores[0] as SimStore).stop());
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(100);
  });
});

describe("a slow disk (scenario 19)", () => {
  it("makes a Store hand its leaderships away and report itself slow", async () => {
    const cluster = await SimCluster.start({ seed: 10 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "0");
    leader.slowDisk(1_500);
    void cluster.client.call(putCommand("k", "1"));
    const tookMs = await cluster.until("another leads", () => {
      const now = cluster.leader();
      return now !== undefined && now !== leader;
    });
    expect(tookMs).toBeLessThan(1_600);
    expect(leader.store.health().isSlow).toBe(true);
    const startMs = cluster.clock.monotonicMs();
    await cluster.put("k", "2");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(500);
  });

  it("costs no leadership on a Store that only follows", async () => {
    const cluster = await SimCluster.start({ seed: 11 });
    const leader = await cluster.waitForLeader();
    const { term } = statusOf(cluster, leader);
    cluster.others(leader.storeId)[0]?.slowDisk(1_500);
    for (let n = 0; n < 20; n++) {
      const startMs = cluster.clock.monotonicMs();
      await cluster.put("k", `${n}`);
      expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(100);
      await cluster.run(200);
    }
    expect(statusOf(cluster, leader).term).toBe(term);
  });

  it("that stands still stops the heartbeats, so that the others elect", async () => {
    const cluster = await SimCluster.start({ seed: 12 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "0");
    // Nobody can take over while the hand-over is lost: what remains is to fall silent.
    cluster.network.intercept = ({ payload }) =>
      payload.kind === "raft" && payload.message.type === "MsgTimeoutNow" ? "drop" : "deliver";
    leader.slowDisk(60_000);
    void cluster.client.call(putCommand("k", "1"));
    const tookMs = await cluster.until("another leads", () => {
      const now = cluster.leader();
      return now !== undefined && now !== leader;
    });
    expect(tookMs).toBeLessThan(2_000 + 2 * ELECTION_MS);
    await cluster.put("k", "2");
  });

  it("is forgiven some time after it recovered", async () => {
    const cluster = await SimCluster.start({ seed: 13, storeCount: 1 });
    const [store] = cluster.stores as [SimStore];
    await cluster.put("k", "0");
    store.slowDisk(1_200);
    await cluster.put("k", "1");
    expect(store.store.health().isSlow).toBe(true);
    store.slowDisk(0);
    await cluster.run(8_000);
    expect(store.store.health().isSlow).toBe(false);
  });
});

describe("a lease", () => {
  it("lets the leader read without asking anybody", async () => {
    const cluster = await SimCluster.start({ seed: 14 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    isolate(cluster, leader);
    // Cut off, but within the lease.
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(5);
  });

  it("is over before another can lead: a read there is not served (scenario 29)", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const cluster = await SimCluster.start({ seed });
      const old = await cluster.waitForLeader();
      await cluster.put("k", "old");
      await cluster.get("k", { only: old.storeId });
      isolate(cluster, old);
      const next = await cluster.waitForLeader((store) => store !== old);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 3_000 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
  });

  it("that a restarted Store may have acknowledged keeps it from voting for a while", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const cluster = await SimCluster.start({ seed });
      const old = await cluster.waitForLeader();
      const [candidate, restarted] = cluster.others(old.storeId) as [SimStore, SimStore];
      await cluster.put("k", "old");
      // The candidate has not heard of the leader for so long that it is about to campaign.
      cluster.network.cut(old.storeId, candidate.storeId);
      await cluster.run(950);
      // With the other follower's word alone the leader renews its lease; that follower then forgets.
      await cluster.get("k", { only: old.storeId });
      restarted.crash();
      await cluster.complete(restarted.start());
      cluster.network.cut(old.storeId, restarted.storeId);
      const next = await cluster.waitForLeader((store) => store !== old);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 50 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
  });

  it("counts from when its round was sent, not from when it was answered", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const cluster = await SimCluster.start({ seed, config: { hibernateAfterMs: 0 } });
      const old = await cluster.waitForLeader();
      await cluster.put("k", "old");
      cluster.network.intercept = ({ payload }) =>
        payload.kind === "raft" && payload.message.type === "MsgHeartbeatResp" ? { delayMs: 700 } : "deliver";
      await cluster.run(1_000);
      const read = cluster.client.call(getCommand("k"), { only: old.storeId });
      await cluster.run(2);
      // The round has reached the followers. Nothing more does; their answers are still on their way.
      for (const other of cluster.others(old.storeId)) {
        cluster.network.setLink(old.storeId, other.storeId, { isCut: true });
      }
      expect(await cluster.complete(read), `seed ${seed}`).toMatchObject({ kind: "ok" });
      isolate(cluster, old);
      const next = await cluster.waitForLeader((store) => store !== old);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 50 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
  });

  it("must still hold when a read on it is served, after it waited for apply", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const cluster = await SimCluster.start({ seed, config: { slowDiskMs: 60_000 } });
      const old = await cluster.waitForLeader();
      await cluster.put("k", "old");
      await cluster.get("k", { only: old.storeId });
      // Committed by the followers, and applied by the leader only when its own disk has it.
      old.slowDisk(1_450);
      void cluster.newClient().call(putCommand("k", "committed"));
      await cluster.run(10);
      const read = cluster.client.call(getCommand("k"), { only: old.storeId, timeoutMs: 3_000 });
      await cluster.run(2);
      isolate(cluster, old);
      const next = await cluster.waitForLeader((store) => store !== old);
      await cluster.put("k", "new", { only: next.storeId });
      const writtenMs = cluster.clock.monotonicMs();
      const outcome = await cluster.complete(read);
      if (cluster.clock.monotonicMs() > writtenMs) {
        expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
      }
    }
  });

  it("is off for the rest of the term once TimeoutNow was sent, which may arrive late", async () => {
    const cluster = await SimCluster.start({ seed: 16 });
    const old = await cluster.waitForLeader();
    await cluster.put("k", "old");
    await cluster.get("k", { only: old.storeId });
    const [target] = cluster.others(old.storeId) as [SimStore];
    const peer = cluster.region.peers.find((candidate) => candidate.storeId === target.storeId);
    cluster.network.intercept = ({ payload }) =>
      payload.kind === "raft" && payload.message.type === "MsgTimeoutNow" ? { delayMs: 3_000 } : "deliver";
    old.store.transferLeader(cluster.region.id, cluster.region.epoch, peer?.id ?? (0 as never));
    // The transfer is given up; the old leader leads on, and reads through rounds.
    await cluster.run(2_000);
    expect(await cluster.get("k", { only: old.storeId })).toBe("old");
    await cluster.get("k", { only: old.storeId });
    // Now TimeoutNow arrives, and its target is elected in spite of any lease.
    cluster.network.intercept = () => "deliver";
    await cluster.until("the target leads", () => cluster.leader() === target);
    isolate(cluster, old);
    await cluster.put("k", "new", { only: target.storeId });
    const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 500 });
    expect(outcome.kind).not.toBe("ok");
  });

  it("is not used when leaseReads is off: a cut-off leader serves nothing", async () => {
    const cluster = await SimCluster.start({ seed: 17, config: { leaseReads: false } });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    isolate(cluster, leader);
    const outcome = await cluster.call(getCommand("k"), { only: leader.storeId, timeoutMs: 300 });
    expect(outcome.kind).not.toBe("ok");
  });
});

import type { Peer, PeerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, expectConverged, putCommand } from "../testing/index.ts";

/** The longest election timeout of the default configuration. */
const ELECTION_MS = 2_000;

/** A cluster of which some follower has all that the leader has, and what makes it the leader. */
async function withLevelFollower() {
  const cluster = await SimCluster.start({ seed: 6 });
  const leader = await cluster.waitForLeader();
  const [follower] = cluster.others(leader.storeId) as [SimStore];
  await cluster.until("the leader knows what the others have", () => {
    return cluster.statusOf(leader).pendingPeerIds.length === 0;
  });
  await cluster.put("k", "1");
  await cluster.run(100);
  const { id, epoch, peers } = cluster.region;
  const peer = peers.find(({ storeId }) => storeId === follower.storeId) as Peer;
  return { cluster, leader, follower, target: [id, epoch, peer.id] as const };
}

/** @returns how long that took, in milliseconds */
function anotherLeads(cluster: SimCluster, former: SimStore): Promise<number> {
  return cluster.until("another leads", () => {
    const now = cluster.leader();
    return now !== undefined && now !== former;
  });
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
      const { term } = cluster.statusOf(leader);
      await cluster.run(300 + seed);
      leader.crash();
      const next = await cluster.waitForLeader();
      expect(cluster.statusOf(next).term, `seed ${seed}`).toBe(term + 1);
    }
  });

  it("does not tie either when the leadership was handed over: who comes next is who is left now", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      await cluster.put("k", "1");
      // The one with the highest id: both that are left were first of those who might follow the old leader.
      const [, target] = cluster.others(leader.storeId) as [SimStore, SimStore];
      const peer = cluster.region.peers.find(({ storeId }) => storeId === target.storeId);
      leader.store.transferLeader(cluster.region.id, cluster.region.epoch, peer?.id as PeerId);
      await cluster.until("the other leads", () => cluster.leader() === target);
      await cluster.run(300 + seed);
      const { term } = cluster.statusOf(target);
      target.crash();
      const next = await cluster.waitForLeader();
      expect(cluster.statusOf(next).term, `seed ${seed}`).toBe(term + 1);
    }
  });

  it("takes no more than 5 s where each vote counts and 30 % of the messages are lost", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      await cluster.run(seed * 17);
      cluster.network.setAll({ lossRate: 0.3 });
      leader.crash();
      const tookMs = await cluster.until("another leads", () => cluster.leader() !== undefined);
      expect(tookMs, `seed ${seed}`).toBeLessThan(5_000);
    }
  });

  it("does not happen when an isolated follower returns: leader and term are unchanged (SCENARIO-21)", async () => {
    const cluster = await SimCluster.start({ seed: 1 });
    const leader = await cluster.waitForLeader();
    const { term } = cluster.statusOf(leader);
    const [away] = cluster.others(leader.storeId) as [SimStore];
    cluster.isolate(away);
    await cluster.run(10 * ELECTION_MS);
    await cluster.put("k", "1");
    cluster.network.heal();
    await expectConverged(cluster);
    expect(cluster.leader()).toBe(leader);
    expect(cluster.statusOf(leader).term).toBe(term);
    expect(cluster.statusOf(away).term).toBe(term);
  });

  it("is not needed while a pair of five is cut off (SCENARIO-22)", async () => {
    const cluster = await SimCluster.start({ seed: 2, storeCount: 5 });
    const leader = await cluster.waitForLeader();
    const { term } = cluster.statusOf(leader);
    const [a, b, c, d] = cluster.others(leader.storeId) as [SimStore, SimStore, SimStore, SimStore];
    cluster.network.partition([a.storeId, b.storeId], [leader.storeId, c.storeId, d.storeId]);
    for (let n = 0; n < 20; n++) {
      await cluster.put(`k${n}`, "1");
      await cluster.run(ELECTION_MS / 10);
    }
    cluster.network.heal();
    await expectConverged(cluster);
    expect(cluster.statusOf(leader).term).toBe(term);
  });

  it("is won by one in the majority when links fail in one direction only (SCENARIO-23)", async () => {
    const cluster = await SimCluster.start({ seed: 3 });
    const leader = await cluster.waitForLeader();
    for (const other of cluster.others(leader.storeId)) {
      // The leader is heard but hears nobody: it must step down rather than lead on in silence.
      cluster.network.setLink(other.storeId, leader.storeId, { isCut: true });
    }
    const tookMs = await anotherLeads(cluster, leader);
    expect(tookMs).toBeLessThan(3 * ELECTION_MS);
    await cluster.put("k", "1");
  });
});

describe("a leader", () => {
  it("in a minority steps down and refuses writes in bounded time (SPEC-R5)", async () => {
    const cluster = await SimCluster.start({ seed: 4 });
    const leader = await cluster.waitForLeader();
    cluster.isolate(leader);
    await cluster.until("it steps down", () => !cluster.statusOf(leader).isLeader, 2 * ELECTION_MS);
    const outcome = await cluster.call(putCommand("k", "1"), { only: leader.storeId });
    expect(outcome).toMatchObject({ kind: "failed", error: { reason: { case: "notLeader" } } });
  });

  it("is moved around all Stores while writes go on (SCENARIO-25)", async () => {
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

  it("gives a transfer up that cannot be done, and takes proposals again (SCENARIO-26)", async () => {
    const { cluster, leader, target } = await withLevelFollower();
    // It answers, and is gone when it is to campaign.
    cluster.network.intercept = ({ payload }) =>
      payload.kind === "raft" && payload.message.type === "MsgTimeoutNow" ? "drop" : "deliver";
    expect(leader.store.transferLeader(...target)).toEqual({ ok: true });
    await cluster.run(50);
    const during = await cluster.call(putCommand("k", "2"), { only: leader.storeId, timeoutMs: 100 });
    expect(during).toMatchObject({ kind: "failed", error: { reason: { case: "serverIsBusy" } } });
    await cluster.put("k", "3", { timeoutMs: ELECTION_MS });
    expect(cluster.leader()).toBe(leader);
  });

  it("takes writes all the while when it is to hand over to a peer that does not answer", async () => {
    const { cluster, leader, follower, target } = await withLevelFollower();
    cluster.isolate(follower);
    expect(leader.store.transferLeader(...target)).toEqual({ ok: true });
    for (let count = 0; count < 50; count++) {
      const outcome = await cluster.call(putCommand("k", `${count}`), {
        only: leader.storeId,
        timeoutMs: 100,
      });
      expect(outcome.kind).toBe("ok");
      await cluster.run(10);
    }
    // An answer that comes much later is none to what was asked for then.
    await cluster.run(3 * ELECTION_MS);
    cluster.network.heal();
    await cluster.run(ELECTION_MS);
    expect(cluster.leader()).toBe(leader);
  });

  it("ignores a transfer for another epoch, or to itself", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    const leader = await cluster.waitForLeader();
    const own = cluster.statusOf(leader).peerId;
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
    const tookMs = await anotherLeads(cluster, leader);
    expect(tookMs).toBeLessThan(200);
    await cluster.complete(stopped);
    const startMs = cluster.clock.monotonicMs();
    await cluster.put("k", "2");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(300);
    await cluster.complete(leader.start());
    await expectConverged(cluster);
    expect(await cluster.get("k")).toBe("2");
  });

  it("hands over when its Store stops, though the first that it asks hangs and nobody has noticed", async () => {
    for (const hung of [0, 1]) {
      const { cluster, leader } = await withLevelFollower();
      cluster.isolate(cluster.others(leader.storeId)[hung] as SimStore);
      const stopped = leader.stop();
      const tookMs = await anotherLeads(cluster, leader);
      // A second election timeout would be the silence that it takes to notice.
      expect(tookMs).toBeLessThan(1_500);
      await cluster.complete(stopped);
    }
  });

  it("answers the writes that the next leader commits before its Store ends", async () => {
    const cluster = await SimCluster.start({ seed: 10 });
    const leader = await cluster.waitForLeader();
    await cluster.put("a", "0");
    const [, third] = cluster.others(leader.storeId);
    third?.crash();
    await cluster.until("its silence is noticed", () => cluster.statusOf(leader).downPeerIds.length > 0);
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

describe("a slow disk (SCENARIO-19)", () => {
  it("makes a Store hand its leaderships away and report itself slow", async () => {
    const cluster = await SimCluster.start({ seed: 10 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "0");
    leader.slowDisk(1_500);
    void cluster.client.call(putCommand("k", "1"));
    const tookMs = await anotherLeads(cluster, leader);
    expect(tookMs).toBeLessThan(1_600);
    expect(leader.store.health().isSlow).toBe(true);
    const startMs = cluster.clock.monotonicMs();
    await cluster.put("k", "2");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(500);
  });

  it("costs no leadership on a Store that only follows", async () => {
    const cluster = await SimCluster.start({ seed: 11 });
    const leader = await cluster.waitForLeader();
    const { term } = cluster.statusOf(leader);
    cluster.others(leader.storeId)[0]?.slowDisk(1_500);
    for (let n = 0; n < 20; n++) {
      const startMs = cluster.clock.monotonicMs();
      await cluster.put("k", `${n}`);
      expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(100);
      await cluster.run(200);
    }
    expect(cluster.statusOf(leader).term).toBe(term);
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
    const tookMs = await anotherLeads(cluster, leader);
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

import { type Peer, type RegionId, type StoreId, term } from "@flaredb/rdb-base";
import type { Message } from "@flaredb/rdb-raft";
import { describe, expect, it } from "vitest";
import { asksForVotes } from "../peer/raft-message-kinds.ts";
import { SimCluster, type SimStore, bytes, getCommand, putCommand } from "../testing/index.ts";
import { raftMessage } from "../testing/peer-messages.ts";
import type { PeerMessage } from "./peer-message.ts";

/** Of Region 1, as the cluster begins. */
function messageTo(toPeer: Peer, fromPeer: Peer, fields: Partial<Message>): PeerMessage {
  return { ...raftMessage(0, 0, { ...fields, from: fromPeer.id, to: toPeer.id }), fromPeer, toPeer };
}

async function restart(cluster: SimCluster, store: SimStore): Promise<void> {
  store.crash();
  await cluster.complete(store.start());
}

describe("a lease", () => {
  it("lets the leader read without asking anybody", async () => {
    const cluster = await SimCluster.start({ seed: 14 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    cluster.isolate(leader);
    // Cut off, but within the lease.
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(5);
  });

  it("is over before another can lead: a read there is not served (SCENARIO-29)", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const cluster = await SimCluster.start({ seed });
      const old = await cluster.waitForLeader();
      await cluster.put("k", "old");
      await cluster.get("k", { only: old.storeId });
      cluster.isolate(old);
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

  it("SPEC-R5: that a split's peer may have acknowledged keeps it from voting, though a crash took the split back", async () => {
    let reachedCount = 0;
    for (let seed = 0; seed < 12; seed++) {
      const cluster = await SimCluster.start({ seed, config: { hibernateAfterMs: 0, slowDiskMs: 60_000 } });
      const old = await cluster.waitForLeader();
      const [candidate, restarted] = cluster.others(old.storeId) as [SimStore, SimStore];
      await cluster.put("k", "old");
      // Its disk has the Store's former run, and the split's entry, but does not get to what applying that wrote.
      await restart(cluster, restarted);
      await cluster.run(1_000);
      const { region, lastIndex } = cluster.statusOf(old);
      cluster.network.intercept = ({ payload, fromPeer }) => {
        const isOnDisk = payload.kind === "raft" && payload.message.type === "MsgAppResp";
        if (isOnDisk && fromPeer.storeId === restarted.storeId && payload.message.index > lastIndex) {
          restarted.slowDisk(30_000);
        }
        return "deliver";
      };
      const command = { regionId: region.id, epoch: region.epoch, keys: [bytes("c")], partCount: 2 };
      void old.store.splitRegion(command);
      const countOf = (store: SimStore): number => store.store.regionStatuses().length;
      await cluster.until("all have split", () => cluster.stores.every((store) => countOf(store) === 2));
      const child = cluster.regions[1]?.id as RegionId;
      await cluster.waitForLeader((store) => store === old, child);
      await cluster.get("k");
      cluster.network.cut(old.storeId, candidate.storeId);
      await cluster.run(950);
      // By the word of the peer alone whose Store is about to forget it.
      await cluster.get("k", { only: old.storeId });
      cluster.network.intercept = ({ regionId, fromPeer, toPeer }) => {
        const ends = [fromPeer.storeId, toPeer.storeId];
        return regionId === child && ends.includes(old.storeId) && ends.includes(restarted.storeId)
          ? "drop"
          : "deliver";
      };
      restarted.crash();
      restarted.slowDisk(0);
      await cluster.complete(restarted.start());
      reachedCount += countOf(restarted) === 1 ? 1 : 0;
      const next = await cluster.waitForLeader((store) => store !== old, child);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 50 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
    expect(reachedCount).toBeGreaterThanOrEqual(3);
  });

  it("holds against a voter that enters a later term by another word than a vote", async () => {
    let reachedCount = 0;
    for (let seed = 0; seed < 12; seed++) {
      const cluster = await SimCluster.start({ seed, config: { hibernateAfterMs: 0 } });
      const old = await cluster.waitForLeader();
      await cluster.put("k", "old");
      let candidate: StoreId | undefined;
      let refused = false;
      cluster.network.intercept = ({ payload, fromPeer, toPeer }) => {
        if (payload.kind !== "raft" || fromPeer.storeId === old.storeId || toPeer.storeId === old.storeId) {
          return "deliver";
        }
        const { type, reject } = payload.message;
        if (type === "MsgVote" && fromPeer.storeId === (candidate ?? fromPeer.storeId)) {
          // It has been told by a pre-vote that it may be elected; its request comes late, however often it is repeated.
          candidate = fromPeer.storeId;
          return { delayMs: 700 };
        }
        if (type === "MsgPreVoteResp" && reject && fromPeer.storeId === candidate) {
          // The other follower campaigns as well, and is to learn of the candidate's term from its refusal.
          refused = true;
          return { delayMs: 250 };
        }
        return "deliver";
      };
      cluster.isolate(old);
      const isHeld = await cluster.clock.runUntil(() => refused, 3_000);
      const [voter] = cluster.others(old.storeId, candidate ?? old.storeId) as [SimStore];
      cluster.network.setLink(old.storeId, voter.storeId, { isCut: false });
      cluster.network.setLink(voter.storeId, old.storeId, { isCut: false });
      // Meanwhile that follower hears of its leader once more, which renews its lease by its word.
      const renewal = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 200 });
      if (!isHeld || renewal.kind !== "ok") {
        continue;
      }
      reachedCount++;
      cluster.isolate(old);
      const next = await cluster.waitForLeader((store) => store !== old);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 50 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
    expect(reachedCount).toBeGreaterThanOrEqual(3);
  });

  it("holds against a new Region's first peer that forgets its leader with the term", async () => {
    const cluster = await SimCluster.start({ seed: 18, bootstrap: false });
    const { region } = cluster;
    const [first, candidate, leader] = region.peers as [Peer, Peer, Peer];
    const store = cluster.storeOf(first.storeId);
    const asksMs: number[] = [];
    cluster.network.intercept = ({ payload }) => {
      if (payload.kind === "raft" && asksForVotes(payload.message)) {
        asksMs.push(cluster.clock.monotonicMs());
      }
      return "drop";
    };
    await cluster.complete(store.store.createPeer(region));
    // It is to lead at once, and tries; but the two others have a leader, which one of them has lost again.
    await cluster.until("it campaigns", () => asksMs.length > 0);
    const say = (from: Peer, fields: Partial<Message>): void =>
      store.call((target) => target.receive([messageTo(first, from, fields)], () => {}));
    say(leader, { type: "MsgHeartbeat", term: term(6) });
    const heardMs = cluster.clock.monotonicMs();
    say(candidate, { type: "MsgPreVoteResp", term: term(7), reject: true });
    asksMs.length = 0;
    await cluster.until("it campaigns again", () => asksMs.length > 0);
    expect((asksMs[0] as number) - heardMs).toBeGreaterThan(cluster.config.leaseMs);
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
      cluster.isolate(old);
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
      cluster.isolate(old);
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
    cluster.isolate(old);
    await cluster.put("k", "new", { only: target.storeId });
    const outcome = await cluster.call(getCommand("k"), { only: old.storeId, timeoutMs: 500 });
    expect(outcome.kind).not.toBe("ok");
  });

  it("is not used when leaseReads is off: a cut-off leader serves nothing", async () => {
    const cluster = await SimCluster.start({ seed: 17, config: { leaseReads: false } });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    expect(await cluster.get("k", { only: leader.storeId })).toBe("1");
    cluster.isolate(leader);
    const outcome = await cluster.call(getCommand("k"), { only: leader.storeId, timeoutMs: 300 });
    expect(outcome.kind).not.toBe("ok");
  });
});

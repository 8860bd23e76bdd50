import { type Region, peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import {
  type SimCluster,
  type SimStore,
  addLearner,
  addVoter,
  bytes,
  commandChange,
  expectMembersLevel,
  leadFrom,
  makeChange,
  peerOn,
  promote,
  putCommand,
  regionNow,
  remainsOf,
  remove,
  rolesOf,
  startWithPeersOnFirst,
} from "../testing/index.ts";

const ELECTION_MS = 2_500;

async function putMany(cluster: SimCluster, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await cluster.put(`k${n}`, "v");
  }
}

async function follower(cluster: SimCluster): Promise<SimStore> {
  const leader = await cluster.waitForLeader();
  const { peers } = cluster.statusOf(leader).region;
  return cluster.storeOf(peers.find((peer) => peer.storeId !== leader.storeId)?.storeId ?? 0);
}

describe("a conf change", () => {
  it("SPEC-C1: adds a learner by message and snapshot, promotes it, and removes another whose data goes", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 1 });
    await putMany(cluster, 20);
    await addVoter(cluster, peerOn(2));
    await addVoter(cluster, peerOn(3));
    expect(await rolesOf(cluster)).toEqual({ 1: "Voter", 2: "Voter", 3: "Voter" });
    const gone = await follower(cluster);
    await makeChange(cluster, remove(peerOn(gone.storeId)));
    expect(await remainsOf(cluster, gone)).toEqual({
      state: "Tombstone",
      peerId: 100 + gone.storeId,
      rowCount: 0,
    });
    await cluster.put("after", "1");
    // One for each change.
    expect((await regionNow(cluster)).epoch.confVer).toBe(6);
    await expectMembersLevel(cluster);
  });

  it("SPEC-C1: SCENARIO-40: from five peers to one and back, each added again under a new id", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 2, peerCount: 5 });
    await putMany(cluster, 10);
    let { confVer } = (await regionNow(cluster)).epoch;
    for (let store = 5; store > 1; store--) {
      await leadFrom(cluster, cluster.storeOf(1));
      await makeChange(cluster, remove(peerOn(store)));
      expect(await remainsOf(cluster, cluster.storeOf(store))).toMatchObject({ rowCount: 0 });
      await cluster.put(`without ${store}`, "1");
      expect((await regionNow(cluster)).epoch.confVer).toBe(++confVer);
    }
    expect(await rolesOf(cluster)).toEqual({ 1: "Voter" });
    for (let store = 2; store <= 5; store++) {
      await addVoter(cluster, peerOn(store, 200 + store));
      await cluster.put(`with ${store}`, "1");
    }
    expect(Object.values(await rolesOf(cluster))).toEqual(Array.from({ length: 5 }, () => "Voter"));
    await expectMembersLevel(cluster);
  });

  it("SPEC-C1: SCENARIO-41: never removes the leader; after a transfer it goes, also from a group of two", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 3 });
    await putMany(cluster, 5);
    await addVoter(cluster, peerOn(5));
    expect(await commandChange(cluster, remove(peerOn(1)))).toMatchObject({ ok: false, reason: "IsLeader" });
    await leadFrom(cluster, cluster.storeOf(5));
    await makeChange(cluster, remove(peerOn(1)));
    expect(await remainsOf(cluster, cluster.storeOf(1))).toMatchObject({ peerId: 101, rowCount: 0 });
    await cluster.put("alone", "1");
    expect(await rolesOf(cluster)).toEqual({ 5: "Voter" });
    await expectMembersLevel(cluster);
  });

  it("SPEC-C1: replaces a voter through a joint configuration, in which both majorities count", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 4, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await putMany(cluster, 10);
    await makeChange(cluster, addLearner(peerOn(4)));
    await makeChange(cluster, promote(peerOn(4)), addLearner(peerOn(3)));
    expect(await rolesOf(cluster)).toEqual({
      1: "Voter",
      2: "Voter",
      3: "DemotingVoter",
      4: "IncomingVoter",
    });
    // 1, 3 are a majority of the old half, and none of the new one.
    cluster.isolate(cluster.storeOf(2));
    cluster.isolate(cluster.storeOf(4));
    const stuck = await cluster.call(putCommand("k", "joint"), {
      only: cluster.storeOf(1).storeId,
      timeoutMs: 500,
    });
    expect(stuck.kind).not.toBe("ok");
    cluster.network.heal();
    await cluster.put("healed", "1");
    await leadFrom(cluster, cluster.storeOf(1));
    expect(await commandChange(cluster, addLearner(peerOn(5)))).toMatchObject({ reason: "Invalid" });
    await makeChange(cluster);
    expect(await rolesOf(cluster)).toEqual({ 1: "Voter", 2: "Voter", 3: "Learner", 4: "Voter" });
    await makeChange(cluster, remove(peerOn(3)));
    expect(await remainsOf(cluster, cluster.storeOf(3))).toMatchObject({ rowCount: 0 });
    await expectMembersLevel(cluster);
  });

  it("SPEC-C1: SCENARIO-46: a joint configuration outlives its leader and a restart of everybody, and is left", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 5, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await putMany(cluster, 5);
    await makeChange(cluster, addLearner(peerOn(4)));
    await makeChange(cluster, promote(peerOn(4)), addLearner(peerOn(1 + 1)));
    cluster.storeOf(1).crash();
    await cluster.waitForLeader((store) => store.storeId !== 1);
    await cluster.put("without its leader", "1");
    cluster.stores.filter((store) => store.isRunning).forEach((store) => store.crash());
    await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
    await leadFrom(cluster, cluster.storeOf(3));
    expect(await rolesOf(cluster)).toMatchObject({ 2: "DemotingVoter", 4: "IncomingVoter" });
    await makeChange(cluster);
    expect(await rolesOf(cluster)).toEqual({ 1: "Voter", 2: "Learner", 3: "Voter", 4: "Voter" });
    await expectMembersLevel(cluster);
  });

  it("SPEC-C1: never leaves the joint configuration by demoting its leader", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 6, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await makeChange(cluster, addLearner(peerOn(4)));
    const demote = [promote(peerOn(4)), addLearner(peerOn(1))];
    expect(await commandChange(cluster, ...demote)).toMatchObject({ reason: "IsLeader" });
    await makeChange(cluster, promote(peerOn(4)), addLearner(peerOn(2)));
    const { id, epoch } = await regionNow(cluster);
    const toDemoting = cluster.storeOf(1).store.transferLeader(id, epoch, peerId(102));
    expect(toDemoting).toMatchObject({ ok: false, reason: "Invalid" });
    // It may be elected all the same.
    cluster.storeOf(1).crash();
    cluster.network.intercept = ({ fromPeer, payload }) => {
      const asks = payload.kind === "raft" && /MsgVote$|MsgPreVote$/.test(payload.message.type);
      return asks && fromPeer.storeId !== 2 ? "drop" : "deliver";
    };
    await cluster.waitForLeader((store) => store.storeId === 2);
    expect(await commandChange(cluster)).toMatchObject({ reason: "IsLeader" });
    cluster.network.heal();
    await leadFrom(cluster, cluster.storeOf(4));
    await makeChange(cluster);
    expect(await rolesOf(cluster)).toMatchObject({ 2: "Learner", 4: "Voter" });
  });

  it("SPEC-C3: SCENARIO-44: an old pair that was cut off before a change can never commit again", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 7, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await putMany(cluster, 5);
    await addVoter(cluster, peerOn(4));
    await addVoter(cluster, peerOn(5));
    await expectMembersLevel(cluster);
    await leadFrom(cluster, cluster.storeOf(3));
    cluster.network.partition(
      [1, 2].map((id) => cluster.storeOf(id).storeId),
      [3, 4, 5].map((id) => cluster.storeOf(id).storeId),
    );
    for (const id of [1, 2]) {
      await makeChange(cluster, remove(peerOn(id)));
    }
    expect(await rolesOf(cluster)).toEqual({ 3: "Voter", 4: "Voter", 5: "Voter" });
    await cluster.run(4 * ELECTION_MS);
    for (const id of [1, 2]) {
      const cut = cluster.storeOf(id);
      expect(cluster.statusOf(cut).isLeader).toBe(false);
      expect(
        (await cluster.call(putCommand("k", "old"), { only: cut.storeId, timeoutMs: 200 })).kind,
      ).not.toBe("ok");
    }
    await cluster.put("new", "1");
    const { term } = cluster.statusOf(cluster.storeOf(3));
    cluster.network.heal();
    for (const id of [1, 2]) {
      expect(await remainsOf(cluster, cluster.storeOf(id))).toMatchObject({ peerId: 100 + id, rowCount: 0 });
    }
    // They asked for votes until they were told, and disturbed nobody.
    expect(cluster.statusOf(cluster.storeOf(3))).toMatchObject({ isLeader: true, term });
  });

  it("SPEC-C1: SCENARIO-45: a learner whose snapshot does not arrive is not promoted, and costs no quorum", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 8, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await putMany(cluster, 10);
    cluster.network.intercept = ({ payload }) =>
      payload.kind === "raft" && payload.message.type === "MsgSnap" ? "drop" : "deliver";
    await makeChange(cluster, addLearner(peerOn(4)));
    await cluster.run(2_000);
    expect(await commandChange(cluster, promote(peerOn(4)))).toMatchObject({
      ok: false,
      reason: "PeerBehind",
    });
    cluster.storeOf(3).crash();
    await cluster.put("two of three", "1");
    expect(await rolesOf(cluster)).toMatchObject({ 4: "Learner" });
    await cluster.complete(cluster.storeOf(3).start());
    cluster.network.heal();
    await makeChange(cluster, promote(peerOn(4)));
    await expectMembersLevel(cluster);
  });
});

it("SPEC-C1: SCENARIO-41: a leader that commits its own removal from a group of two says so until it is heard", async () => {
  const cluster = await startWithPeersOnFirst({ seed: 15, peerCount: 2, config: { hibernateAfterMs: 0 } });
  await leadFrom(cluster, cluster.storeOf(1));
  await cluster.put("k", "1");
  await expectMembersLevel(cluster);
  const [left, gone] = [cluster.storeOf(1), cluster.storeOf(2)];
  // The removal is in both logs, and Store 1 dies before it knows that.
  cluster.network.setLink(gone.storeId, left.storeId, { isCut: true });
  expect(await commandChange(cluster, remove(peerOn(2)))).toEqual({ ok: true });
  await cluster.run(20);
  left.crash();
  await cluster.complete(left.start());
  cluster.network.heal();
  // Store 2 leads, and commits its removal; Store 1 acknowledges, and then hears nothing.
  const removal = cluster.statusOf(gone).lastIndex;
  cluster.network.intercept = ({ fromPeer, payload }) => {
    if (payload.kind !== "raft") {
      return "deliver";
    }
    const { type, commit } = payload.message;
    const campaigns = type === "MsgPreVote" || type === "MsgVote";
    const saysCommitted = fromPeer.storeId === gone.storeId && commit >= removal;
    return saysCommitted || (campaigns && fromPeer.storeId === left.storeId) ? "drop" : "deliver";
  };
  expect(await remainsOf(cluster, gone)).toMatchObject({ peerId: 102, rowCount: 0 });
  await cluster.run(2 * ELECTION_MS);
  expect(cluster.statusOf(left)).toMatchObject({ isLeader: false, region: { epoch: { confVer: 1 } } });
  const words: string[] = [];
  cluster.network.heal();
  await cluster.put("alone", "1");
  expect(await rolesOf(cluster)).toEqual({ 1: "Voter" });
  // Once it was heard, it is not said again.
  cluster.network.onSend = ({ fromPeer, payload }) => {
    if (fromPeer.storeId === gone.storeId) {
      words.push(payload.kind);
    }
  };
  await cluster.run(1_500);
  const heardCount = words.length;
  await cluster.run(5_000);
  expect(words.length).toBe(heardCount);
});

describe("a conf change is refused", () => {
  it("for another epoch, a peer that is none, a Store that has one, or a change under way", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 11, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    await expectMembersLevel(cluster);
    await cluster.run(100);
    const leader = cluster.storeOf(1).store;
    const { id, epoch } = await regionNow(cluster);
    const at = (changes: Parameters<typeof commandChange>[1][], now = epoch) =>
      cluster.complete(leader.changePeers({ regionId: id, epoch: now, changes }));
    expect(await at([remove(peerOn(2))], { ...epoch, confVer: 9 })).toMatchObject({
      reason: "EpochNotMatch",
    });
    expect(await at([remove(peerOn(2))], { ...epoch, version: 9 })).toMatchObject({
      reason: "EpochNotMatch",
    });
    expect(await at([remove(peerOn(4))])).toMatchObject({ reason: "Invalid" });
    expect(await at([promote(peerOn(2))])).toMatchObject({ reason: "Invalid" });
    expect(await at([addLearner(peerOn(2, 999))])).toMatchObject({ reason: "Invalid" });
    const learners = [addLearner(peerOn(4)), addLearner(peerOn(5))];
    expect(await at(learners)).toMatchObject({ reason: "Invalid" });
    expect(await at([])).toMatchObject({ reason: "Invalid" });
    const other = await follower(cluster);
    expect(
      await cluster.complete(other.store.changePeers({ regionId: id, epoch, changes: [remove(peerOn(2))] })),
    ).toMatchObject({ reason: "NotLeader" });
    const [first, second] = await Promise.all([at([addLearner(peerOn(4))]), at([addLearner(peerOn(5))])]);
    expect(first).toEqual({ ok: true });
    expect(second).toMatchObject({ reason: "Busy" });
  });

  it("SPEC-C1: only for now by a leader that has not heard of everybody yet", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 15, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    await expectMembersLevel(cluster);
    // The new leader hears of one peer, and the other one's answers are late.
    cluster.network.intercept = ({ fromPeer, payload }) =>
      fromPeer.storeId === 3 && payload.kind === "raft" && payload.message.type === "MsgAppResp"
        ? "drop"
        : "deliver";
    const { epoch } = await regionNow(cluster);
    cluster.storeOf(1).store.transferLeader(cluster.region.id, epoch, peerOn(2).id);
    await cluster.until("Store 2 leads", () => cluster.leader() === cluster.storeOf(2));
    expect(await commandChange(cluster, remove(peerOn(1)))).toMatchObject({
      reason: "Busy",
      message: "the leader is new and has not heard of 103 yet",
    });
    cluster.network.heal();
    await makeChange(cluster, remove(peerOn(1)));
  });

  it("SPEC-C1: where too few voters would be left that live", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 12, peerCount: 3 });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    cluster.storeOf(3).crash();
    await cluster.run(3_000);
    await cluster.waitForLeader();
    await leadFrom(cluster, cluster.storeOf(1));
    expect(await commandChange(cluster, remove(peerOn(2)))).toMatchObject({ reason: "QuorumAtRisk" });
    // The dead one may go: that betters it.
    await makeChange(cluster, remove(peerOn(3)));
    expect(await rolesOf(cluster)).toEqual({ 1: "Voter", 2: "Voter" });
  });

  it("SPEC-C1: where a voter that is left would need entries that the log has no more", async () => {
    const cluster = await startWithPeersOnFirst({
      seed: 13,
      peerCount: 3,
      config: { logGc: { maxEntries: 5, checkIntervalMs: 100 }, hibernateAfterMs: 0 },
    });
    await leadFrom(cluster, cluster.storeOf(1));
    const laggard = cluster.storeOf(3);
    cluster.network.intercept = ({ toPeer, payload }) => {
      const isContent = payload.kind === "raft" && /MsgApp$|MsgSnap/.test(payload.message.type);
      return toPeer.storeId === laggard.storeId && isContent ? "drop" : "deliver";
    };
    await putMany(cluster, 50);
    await cluster.until("the log is cut", () => {
      return cluster.statusOf(cluster.storeOf(1)).firstIndex > cluster.statusOf(laggard).lastIndex + 1;
    });
    // By then it would have heard of it.
    await cluster.run(ELECTION_MS);
    expect(await commandChange(cluster, remove(peerOn(2)))).toMatchObject({ reason: "QuorumAtRisk" });
    cluster.network.heal();
    await makeChange(cluster, remove(peerOn(2)));
  });
});

it("a peer that was removed while it was cut off is not in the way of what its Region was cut into", async () => {
  const cluster = await startWithPeersOnFirst({ seed: 15, peerCount: 2, config: { hibernateAfterMs: 0 } });
  const leader = cluster.storeOf(1);
  await leadFrom(cluster, leader);
  for (const key of ["a", "m", "z"]) {
    await cluster.put(key, "1");
  }
  // A learner: it never campaigns, so that nobody gets to tell it.
  await makeChange(cluster, addLearner(peerOn(3)));
  const away = cluster.storeOf(3);
  await cluster.until("the learner has all", () => {
    return away.store.regionStatus(cluster.region.id)?.appliedIndex === cluster.statusOf(leader).appliedIndex;
  });
  cluster.isolate(away);
  await makeChange(cluster, remove(peerOn(3)));
  await cluster.run(cluster.config.storeSilentMs);
  const { id, epoch } = await regionNow(cluster);
  const command = { regionId: id, epoch, keys: [bytes("m")], partCount: 2 };
  expect(await cluster.complete(leader.store.splitRegion(command))).toEqual({ ok: true });
  await cluster.until("it is split", () => cluster.regions.length === 2);
  const child = cluster.regions[1] as Region;
  const childLeader = await cluster.waitForLeader(undefined, child.id);
  const learner = peerOn(3, 999);
  const change = { regionId: child.id, epoch: child.epoch, changes: [addLearner(learner)] };
  // It has to hear of the other voter first.
  await cluster.run(ELECTION_MS);
  expect(await cluster.complete(childLeader.store.changePeers(change))).toEqual({ ok: true });
  cluster.network.heal();
  const tookMs = await cluster.until("the child has its learner", () => {
    return away.store.regionStatus(child.id)?.peerId === learner.id;
  });
  expect(tookMs).toBeLessThan(cluster.config.stalePeerMs / 10);
  expect(away.store.regionStatus(id)).toBeUndefined();
});

it("hands a leadership over only to a voter that lives and is not behind", async () => {
  const cluster = await startWithPeersOnFirst({ seed: 14, peerCount: 3 });
  await leadFrom(cluster, cluster.storeOf(1));
  await makeChange(cluster, addLearner(peerOn(4)));
  const { id, epoch } = await regionNow(cluster);
  const to = (peer: number, now = epoch) => cluster.storeOf(1).store.transferLeader(id, now, peerId(peer));
  expect(to(104)).toMatchObject({ ok: false, reason: "Invalid" });
  expect(to(999)).toMatchObject({ ok: false, reason: "Invalid" });
  expect(to(102, { ...epoch, confVer: 1 })).toMatchObject({ ok: false, reason: "EpochNotMatch" });
  expect(cluster.storeOf(2).store.transferLeader(id, epoch, peerId(103))).toMatchObject({
    reason: "NotLeader",
  });
  cluster.storeOf(3).crash();
  await cluster.run(3_000);
  await cluster.waitForLeader();
  await leadFrom(cluster, cluster.storeOf(1));
  expect(to(103)).toMatchObject({ ok: false, reason: "PeerBehind" });
  expect(to(101)).toEqual({ ok: true });
  expect(to(102)).toEqual({ ok: true });
  await cluster.waitForLeader((store) => store.storeId === 2);
});

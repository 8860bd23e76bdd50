import { type Peer, type RegionEpoch, regionId } from "@flaredb/rdb-base";
import { type Message, newMessage } from "@flaredb/rdb-raft";
import { getRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  type SimCluster,
  type SimStore,
  addLearner,
  addVoter,
  bytes,
  contentOf,
  expectMembersLevel,
  getCommand,
  kvRequest,
  leadFrom,
  makeChange,
  peerOn,
  putCommand,
  regionNow,
  remainsOf,
  remove,
  startWithPeersOnFirst,
} from "../testing/index.ts";
import type { PeerMessage, Refusal } from "./peer-message.ts";

const STALE_MS = 1_000;
const config = { stalePeerMs: STALE_MS, hibernateAfterMs: 0 };
const WHOLE = { startKey: bytes(""), endKey: bytes("") };

/** What a peer of Region 1 says; a pre-vote of peer 101 in term 9 unless said otherwise. */
function saying(
  to: Peer,
  fields: Partial<Message> = {},
  envelope: { readonly from?: Peer; readonly epoch?: RegionEpoch; readonly region?: number } & Partial<
    Pick<PeerMessage, "range">
  > = {},
): PeerMessage {
  const { from = peerOn(1), epoch = { confVer: 2, version: 1 }, region = 1 } = envelope;
  const message = newMessage({
    type: "MsgPreVote",
    ...{ from: from.id, to: to.id },
    term: 9 as never,
    ...fields,
  });
  return {
    ...{ regionId: regionId(region), fromPeer: from, toPeer: to, epoch },
    range: "range" in envelope ? envelope.range : WHOLE,
    payload: { kind: "raft", message },
  };
}

function receive(store: SimStore, message: PeerMessage): Refusal["reason"] | undefined {
  let reason: Refusal["reason"] | undefined;
  store.call((running) =>
    running.receive([message], ([refusal]) => {
      reason = refusal?.reason;
    }),
  );
  return reason;
}

/** What a Store holds of a Region: its phase and the id of its peer there. */
function heldBy(store: SimStore, region = 1): string | undefined {
  const local = getRegionLocalState(store.engine, regionId(region));
  const peer = local?.region.peers.find((candidate) => candidate.storeId === store.storeId);
  return local === undefined ? undefined : `${local.state} ${peer?.id}`;
}

/** Answers of one Store to the others, by type. */
function watchAnswers(cluster: SimCluster, of: SimStore): string[] {
  const answers: string[] = [];
  cluster.network.onSend = ({ fromPeer, payload }) => {
    if (fromPeer.storeId === of.storeId) {
      const kind = payload.kind === "raft" ? payload.message : payload;
      answers.push("type" in kind ? `${kind.type}${kind.reject ? " rejected" : ""}` : kind.kind);
    }
  };
  return answers;
}

describe("a peer that was removed without its knowledge", () => {
  /** A learner on Store 4 that is cut off while it is removed. */
  async function cutOffLearner(seed: number): Promise<{ cluster: SimCluster; cut: SimStore }> {
    const cluster = await startWithPeersOnFirst({ seed, peerCount: 3, config });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    await makeChange(cluster, addLearner(peerOn(4)));
    await expectMembersLevel(cluster);
    const cut = cluster.storeOf(4);
    cluster.isolate(cut);
    await makeChange(cluster, remove(peerOn(4)));
    return { cluster, cut };
  }

  it("SPEC-C4: asks the others once it hears of no leader, and is told", async () => {
    const { cluster, cut } = await cutOffLearner(1);
    await cluster.run(3 * STALE_MS);
    expect(heldBy(cut)).toBe("Normal 104");
    cluster.network.heal();
    const tookMs = await cluster.until("it is gone", () => cut.store.regionStatus(regionId(1)) === undefined);
    expect(tookMs).toBeLessThan(STALE_MS + 200);
    expect(await remainsOf(cluster, cut)).toEqual({ state: "Tombstone", peerId: 104, rowCount: 0 });
  });

  it("SPEC-C4: asks PD, and believes only a newer configuration without it", async () => {
    const { cluster, cut } = await cutOffLearner(2);
    const region = await regionNow(cluster);
    const isHere = (): boolean => cut.store.regionStatus(regionId(1)) !== undefined;
    // PD does not know the Region: no evidence.
    await cluster.run(2 * STALE_MS);
    expect(isHere()).toBe(true);
    // PD has old news, or does not answer, or lists the peer.
    const { confVer } = cluster.statusOf(cut).region.epoch;
    cluster.pdRegions.set(region.id, { ...region, epoch: { ...region.epoch, confVer } });
    await cluster.run(2 * STALE_MS);
    cluster.pdIsAway = true;
    cluster.pdRegions.set(region.id, region);
    await cluster.run(2 * STALE_MS);
    cluster.pdIsAway = false;
    cluster.pdRegions.set(region.id, { ...region, peers: [...region.peers, peerOn(4)] });
    await cluster.run(2 * STALE_MS);
    expect(isHere()).toBe(true);
    cluster.pdRegions.set(region.id, region);
    await cluster.until("it is gone", () => !isHere());
    expect(await remainsOf(cluster, cut)).toMatchObject({ peerId: 104, rowCount: 0 });
  });

  it("SPEC-C4: is not asked for anything while it has a leader", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 3, peerCount: 3, config });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.run(3 * STALE_MS);
    expect(cluster.trace.has("no word of a leader for long: the others and PD are asked")).toBe(false);
  });

  it("SPEC-C4: is told by the tombstones of those it knew, when all of them moved away", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 4, peerCount: 2, config });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    await addVoter(cluster, peerOn(3));
    await expectMembersLevel(cluster);
    const cut = cluster.storeOf(3);
    cluster.isolate(cut);
    await makeChange(cluster, remove(peerOn(3)));
    await addVoter(cluster, peerOn(4));
    await leadFrom(cluster, cluster.storeOf(4));
    await makeChange(cluster, remove(peerOn(1)));
    await makeChange(cluster, remove(peerOn(2)));
    await remainsOf(cluster, cluster.storeOf(1));
    await remainsOf(cluster, cluster.storeOf(2));
    // Only those two are reached.
    cluster.network.heal();
    cluster.network.cut(cut.storeId, cluster.storeOf(4).storeId);
    expect(await remainsOf(cluster, cut)).toEqual({ state: "Tombstone", peerId: 103, rowCount: 0 });
  });
});

describe("a tombstone", () => {
  async function withTombstone(seed: number): Promise<{ cluster: SimCluster; store: SimStore }> {
    const cluster = await startWithPeersOnFirst({ seed, peerCount: 3, config });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    await makeChange(cluster, remove(peerOn(3)));
    const store = cluster.storeOf(3);
    await remainsOf(cluster, store);
    return { cluster, store };
  }

  it("SPEC-C4: outlives a crash, and keeps its peer from ever coming back", async () => {
    const { cluster, store } = await withTombstone(11);
    store.crash();
    await cluster.complete(store.start());
    for (const type of ["MsgPreVote", "MsgVote", "MsgHeartbeat"] as const) {
      expect(receive(store, saying(peerOn(3), { type }, { epoch: { confVer: 9, version: 1 } }))).toBe(
        "RegionNotFound",
      );
    }
    expect(heldBy(store)).toBe("Tombstone 103");
    // One that was here before that peer, as its delayed messages may say: at the epoch that is remembered, which is
    // the one before the removal when others told the peer of it, or below.
    const remembered = getRegionLocalState(store.engine, cluster.region.id)?.region.epoch.confVer ?? 0;
    for (const confVer of [1, remembered]) {
      const former = saying(peerOn(3, 99), { type: "MsgHeartbeat" }, { epoch: { confVer, version: 1 } });
      expect(receive(store, former)).toBe("RegionNotFound");
    }
    const asFirst = { ...cluster.region, peers: [peerOn(3)] };
    expect(await cluster.complete(store.store.createPeer(asFirst))).toContain("has a record");
    // A new peer is another one.
    await makeChange(cluster, addLearner(peerOn(3, 203)));
    await expectMembersLevel(cluster);
    expect(heldBy(store)).toBe("Normal 203");
  });

  it("SPEC-C4: a removal that a crash interrupted is finished at the next start", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 12, peerCount: 3, config });
    await leadFrom(cluster, cluster.storeOf(1));
    await cluster.put("k", "1");
    await expectMembersLevel(cluster);
    const store = cluster.storeOf(3);
    // Everything that is submitted waits; then the part with the removal is written, and nothing after it.
    await makeChange(cluster, remove(peerOn(3)));
    for (let attempt = 0; attempt < 20 && store.isRunning; attempt++) {
      await cluster.run(0.2);
      if (heldBy(store) !== "Normal 103") {
        store.crash();
      }
    }
    expect(store.isRunning).toBe(false);
    await cluster.complete(store.start());
    expect(await remainsOf(cluster, store)).toEqual({ state: "Tombstone", peerId: 103, rowCount: 0 });
  });
});

describe("a message for a Region that is not here", () => {
  async function emptyStore(seed: number): Promise<{ cluster: SimCluster; store: SimStore }> {
    const cluster = await startWithPeersOnFirst({ seed, config });
    return { cluster, store: cluster.storeOf(4) };
  }

  it("makes an empty peer only when it is a first one, and says its range", async () => {
    const { store } = await emptyStore(21);
    const to = peerOn(4);
    const heartbeat = { type: "MsgHeartbeat" } as const;
    expect(receive(store, saying(to, { type: "MsgApp" }))).toBe("RegionNotFound");
    expect(receive(store, saying(to, { ...heartbeat, commit: 7 as never }))).toBe("RegionNotFound");
    expect(receive(store, saying(to, { type: "MsgVoteResp" }))).toBe("RegionNotFound");
    expect(receive(store, saying(to, heartbeat, { range: undefined }))).toBe("RegionNotFound");
    expect(heldBy(store)).toBeUndefined();
    expect(receive(store, saying(to, heartbeat))).toBeUndefined();
    expect(heldBy(store)).toBe("Uninitialised 104");
    // No key is its own, and PD hears nothing of it.
    expect(store.store.regionOfKey(bytes("k"))).toBeUndefined();
    expect(store.store.regionStatuses()).toEqual([]);
    expect(store.store.health().regionCount).toBe(0);
    let answer: unknown;
    const header = { $typeName: "rdb.v1.RegionHeader" as const, regionId: 1n, storeId: 4n };
    const epoch = { $typeName: "rdb.v1.RegionEpoch" as const, confVer: 2n, version: 1n };
    for (const command of [getCommand("k"), putCommand("k", "1")]) {
      store.store.handle({ ...header, epoch }, [kvRequest({ requestId: 1, command })], (response) => {
        answer = response.result;
      });
      expect(answer).toMatchObject({ value: { reason: { case: "regionNotFound" } } });
    }
  });

  it("makes nothing over another Region; what came too early is given to the peer that is made later", async () => {
    const { cluster, store } = await emptyStore(22);
    const region = { ...cluster.region, id: regionId(5), endKey: bytes("m"), peers: [peerOn(4, 504)] };
    expect(await cluster.complete(store.store.createPeer(region))).toBe("created");
    const late = { from: peerOn(1, 601), region: 6, epoch: { confVer: 1, version: 1 } };
    const range = { startKey: bytes("a"), endKey: bytes("z") };
    const vote = saying(peerOn(4, 604), { type: "MsgVote" }, { ...late, range });
    expect(receive(store, vote)).toBe("RegionNotFound");
    expect(heldBy(store, 6)).toBeUndefined();
    const answers = watchAnswers(cluster, store);
    const other = { ...cluster.region, id: regionId(6), startKey: bytes("m"), endKey: bytes("z") };
    const peers = [peerOn(4, 604), peerOn(1, 601), peerOn(2, 602)];
    expect(await cluster.complete(store.store.createPeer({ ...other, peers }))).toBe("created");
    await cluster.until("the vote is answered", () =>
      answers.some((answer) => answer.startsWith("MsgVoteResp")),
    );
  });

  it("makes a peer whose vote holds after a crash", async () => {
    const { cluster, store } = await emptyStore(23);
    const vote = { type: "MsgVote", term: 9 as never, index: 20 as never, logTerm: 8 as never } as const;
    const answers = watchAnswers(cluster, store);
    expect(receive(store, saying(peerOn(4), vote))).toBeUndefined();
    await cluster.until("it voted", () => answers.includes("MsgVoteResp"));
    store.crash();
    await cluster.complete(store.start());
    expect(heldBy(store)).toBe("Uninitialised 104");
    // A lease that it may have acknowledged holds for a while.
    await cluster.run(2_000);
    receive(store, saying(peerOn(4), vote, { from: peerOn(2) }));
    await cluster.until("it refused", () => answers.includes("MsgVoteResp rejected"));
    expect(answers.filter((answer) => answer === "MsgVoteResp")).toHaveLength(1);
  });

  it("makes a peer that renews no lease before a crash would leave it there", async () => {
    const { cluster, store } = await emptyStore(25);
    const answers = watchAnswers(cluster, store);
    const heartbeat = saying(peerOn(4), { type: "MsgHeartbeat", term: 9 as never });
    store.slowDisk(500);
    for (let spentMs = 0; spentMs < 400; spentMs += 100) {
      expect(receive(store, heartbeat)).toBeUndefined();
      await cluster.run(100);
    }
    expect(answers).not.toContain("MsgHeartbeatResp");
    await cluster.run(1_000);
    receive(store, heartbeat);
    await cluster.until("it answers", () => answers.includes("MsgHeartbeatResp"));
    store.crash();
    await cluster.complete(store.start());
    expect(heldBy(store)).toBe("Uninitialised 104");
  });

  it("SPEC-C4: for another peer ends the one that is here, if its configuration is newer, whatever their ids", async () => {
    const { store } = await emptyStore(24);
    receive(store, saying(peerOn(4), { type: "MsgHeartbeat" }));
    const newer = peerOn(4, 204);
    expect(receive(store, saying(newer, { type: "MsgHeartbeat" }))).toBe("RegionNotFound");
    expect(heldBy(store)).toBe("Uninitialised 104");
    expect(
      receive(store, saying(newer, { type: "MsgHeartbeat" }, { epoch: { confVer: 3, version: 1 } })),
    ).toBeUndefined();
    expect(heldBy(store)).toBe("Uninitialised 204");
    expect(
      receive(store, saying(peerOn(4), { type: "MsgHeartbeat" }, { epoch: { confVer: 3, version: 1 } })),
    ).toBe("RegionNotFound");
    expect(heldBy(store)).toBe("Uninitialised 204");
    // Ids of splits and of moves come from different leases: a later peer may have a lower one.
    const later = peerOn(4, 54);
    expect(
      receive(store, saying(later, { type: "MsgHeartbeat" }, { epoch: { confVer: 9, version: 1 } })),
    ).toBeUndefined();
    expect(heldBy(store)).toBe("Uninitialised 54");
  });

  it("SPEC-C4: an empty peer, and its tombstone, tell no other peer that it was removed", async () => {
    const { cluster, store } = await emptyStore(27);
    const answers = watchAnswers(cluster, store);
    const newer = { epoch: { confVer: 9, version: 1 } };
    receive(store, saying(peerOn(4), { type: "MsgHeartbeat" }, newer));
    expect(heldBy(store)).toBe("Uninitialised 104");
    // A voter that lags behind speaks to the peer that was here when it last heard of the Region, and to this one.
    const sayAll = async (): Promise<void> => {
      for (const to of [peerOn(4, 54), peerOn(4)]) {
        receive(store, saying(to, {}, { from: peerOn(2) }));
        await cluster.run(5);
      }
    };
    await sayAll();
    const tombstone = { kind: "tombstone", epoch: { confVer: 10, version: 1 } } as const;
    receive(store, { ...saying(peerOn(4), {}, newer), payload: tombstone });
    await cluster.until("it is gone", () => heldBy(store) === "Tombstone 104");
    await sayAll();
    expect(answers).not.toContain("tombstone");
  });

  it("SPEC-C4: an empty peer goes with a tombstone that is newer than what made it, and leaves no row", async () => {
    const { cluster, store } = await emptyStore(25);
    receive(store, saying(peerOn(4), { type: "MsgHeartbeat" }));
    const tombstone = (confVer: number): PeerMessage => ({
      ...saying(peerOn(4), {}, { epoch: { confVer, version: 1 } }),
      payload: { kind: "tombstone", epoch: { confVer, version: 1 } },
    });
    receive(store, tombstone(2));
    expect(heldBy(store)).toBe("Uninitialised 104");
    receive(store, tombstone(3));
    expect(await remainsOf(cluster, store)).toEqual({ state: "Tombstone", peerId: 104, rowCount: 0 });
  });
});

it("SPEC-C4: SCENARIO-48: a peer's Store that lost its data is another Store, and never votes as the old one", async () => {
  const cluster = await startWithPeersOnFirst({ seed: 31, peerCount: 3, config });
  await leadFrom(cluster, cluster.storeOf(1));
  await cluster.put("k", "1");
  await expectMembersLevel(cluster);
  // The old Store is gone for good; the new one, under another id, gets a peer of its own.
  cluster.storeOf(3).crash();
  await cluster.run(3_000);
  await leadFrom(cluster, cluster.storeOf(1));
  const fresh = cluster.storeOf(5);
  expect(receive(fresh, saying(peerOn(3), { type: "MsgVote" }))).toBe("StoreNotMatch");
  await addVoter(cluster, peerOn(5));
  await makeChange(cluster, remove(peerOn(3)));
  for (let n = 0; n < 20; n++) {
    await cluster.put(`after ${n}`, "1");
  }
  await expectMembersLevel(cluster);
  expect(await cluster.complete(contentOf(fresh))).toHaveLength(21);
});

import { type Region, peerById, peerId, regionId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, addVoter, bytes, contentOf, leadFrom } from "../testing/index.ts";
import type { RecoverRegion } from "./recover-region.ts";

const FIRST = regionId(1);

/** An order as PD plans it: the Region whole, at the version that it has, from this Store's peer alone. */
function orderFor(store: SimStore, over: Partial<RecoverRegion> = {}): RecoverRegion {
  const [peer] = store.store.surveyPeers().filter(({ region }) => region.id === FIRST);
  if (peer === undefined) {
    throw new Error(`Store ${store.storeId} has no peer of Region ${FIRST}`);
  }
  const { region } = peer;
  return {
    ...{ regionId: FIRST, peerId: peer.peerId, epoch: region.epoch, term: term(peer.term + 1) },
    ...{ pieces: [alone(region, peer.peerId)], endsMerge: false },
    ...over,
  };
}

function alone(region: Region, id: Region["peers"][number]["id"], over: Partial<Region> = {}): Region {
  const own = peerById(region, id);
  const { confVer, version } = region.epoch;
  return {
    ...region,
    epoch: { confVer: confVer + 1_000, version },
    peers: own === undefined ? [] : [{ ...own, role: "Voter" }],
    ...over,
  };
}

/** Five Stores, peers on the first ones, some rows; then all but the last of those are lost for good. */
async function withLost(seed: number, peerCount = 3, survivors = 1): Promise<SimCluster> {
  const cluster = await SimCluster.start({
    ...{ seed, storeCount: 5, bootstrap: false },
    config: { hibernateAfterMs: 0, stalePeerMs: 1_000 },
  });
  const region = { ...cluster.region, peers: cluster.region.peers.slice(0, peerCount) };
  const stores = region.peers.map(({ storeId }) => cluster.storeOf(storeId));
  await cluster.complete(Promise.all(stores.map((store) => store.store.createPeer(region))));
  await leadFrom(cluster, cluster.storeOf(1));
  for (const key of ["a", "h", "z"]) {
    await cluster.put(key, "1");
  }
  await cluster.run(1_000);
  stores.slice(0, peerCount - survivors).forEach((store) => store.crash());
  await cluster.run(5_000);
  return cluster;
}

const recover = (cluster: SimCluster, store: SimStore, order = orderFor(store)) =>
  cluster.complete(store.store.recoverRegion(order));

describe("a Region whose quorum is lost", () => {
  it("serves again from its only survivor, keeps what that had, and grows back to three peers", async () => {
    const cluster = await withLost(1);
    const survivor = cluster.storeOf(3);
    expect(cluster.leader()).toBeUndefined();
    expect(await recover(cluster, survivor)).toEqual({ ok: true });
    await cluster.waitForLeader((store) => store === survivor);
    expect(await cluster.scan()).toEqual(["a=1", "h=1", "z=1"]);
    await cluster.put("b", "2");
    const peers = [4, 5].map((id) => ({ id: peerId(900 + id), storeId: cluster.storeOf(id).storeId }));
    for (const peer of peers) {
      await addVoter(cluster, { ...peer, role: "Voter" });
    }
    await cluster.run(2_000);
    const reference = await cluster.complete(contentOf(survivor));
    expect(reference).toHaveLength(4);
    for (const id of [4, 5]) {
      expect(await cluster.complete(contentOf(cluster.storeOf(id)))).toEqual(reference);
    }
  });

  it("applies what stands in the survivor's log and nobody told it to be committed", async () => {
    const cluster = await startOfThree(2);
    // The leader hears that Store 3 has the entry; Store 3 never hears that it is committed.
    await leadFrom(cluster, cluster.storeOf(1));
    cluster.storeOf(2).crash();
    await cluster.put("a", "1");
    await cluster.run(1_000);
    cluster.network.intercept = ({ toPeer, payload }) =>
      toPeer.storeId === 3 && payload.kind === "raft" && payload.message.type === "MsgHeartbeat"
        ? "drop"
        : "deliver";
    const writing = cluster.put("a", "2");
    await writing;
    cluster.storeOf(1).crash();
    await cluster.run(3_000);
    const survivor = cluster.storeOf(3);
    const { lastIndex, appliedIndex } = cluster.statusOf(survivor);
    expect(lastIndex).toBeGreaterThan(appliedIndex);
    expect(await recover(cluster, survivor)).toEqual({ ok: true });
    expect(await cluster.get("a")).toBe("2");
  });

  it("drops what it has not applied where its version rises: somebody knows of a later range", async () => {
    const { cluster, survivor } = await withUntoldCommits(31, async (all) => {
      await all.put("a", "2");
    });
    const whole = orderFor(survivor);
    const pieces = whole.pieces.map((piece) => ({
      ...piece,
      epoch: { confVer: piece.epoch.confVer, version: piece.epoch.version + 1 },
    }));
    expect(await recover(cluster, survivor, { ...whole, pieces })).toEqual({ ok: true });
    expect(await cluster.get("a")).toBe("1");
  });

  it("passes over a split that it has not applied and keeps the writes before it where its version stays", async () => {
    const { cluster, survivor } = await withUntoldCommits(32, async (all) => {
      await all.put("a", "2");
      await splitAt(all, "m");
    });
    expect(cluster.statusOf(survivor).region.endKey).toHaveLength(0);
    expect(await recover(cluster, survivor)).toEqual({ ok: true });
    expect(await cluster.get("a")).toBe("2");
    expect(cluster.statusOf(survivor).region.endKey).toHaveLength(0);
  });

  it("has applied a split itself once it has a write from behind it, which brings the news of the commit", async () => {
    const { cluster, survivor } = await withUntoldCommits(33, async (all) => {
      await splitAt(all, "m");
      await all.put("a", "2");
    });
    expect(cluster.statusOf(survivor).region.endKey).toEqual(bytes("m"));
    expect(await recover(cluster, survivor)).toEqual({ ok: true });
    expect(await cluster.get("a")).toBe("2");
  });

  it("refuses another epoch or peer than the plan saw, and takes the same order twice", async () => {
    const cluster = await withLost(3);
    const survivor = cluster.storeOf(3);
    const order = orderFor(survivor);
    const { confVer, version } = order.epoch;
    for (const wrong of [
      { ...order, epoch: { confVer: confVer + 1, version } },
      { ...order, epoch: { confVer, version: version + 1 } },
      { ...order, peerId: peerId(77) },
    ]) {
      expect(await recover(cluster, survivor, wrong)).toMatchObject({ ok: false, reason: "EpochNotMatch" });
    }
    expect(await recover(cluster, survivor, { ...order, regionId: regionId(9) })).toMatchObject({
      ok: false,
      reason: "NotLeader",
    });
    expect(await recover(cluster, survivor, order)).toEqual({ ok: true });
    await cluster.waitForLeader();
    const { term: before } = cluster.statusOf(survivor);
    expect(before).toBeGreaterThan(order.term - 1);
    expect(await recover(cluster, survivor, order)).toEqual({ ok: true });
    expect(cluster.statusOf(survivor).term).toBe(before);
  });

  it("removes the lost peers when they come back, and another survivor that was not chosen", async () => {
    const cluster = await withLost(4, 5, 2);
    const survivor = cluster.storeOf(4);
    const order = orderFor(survivor);
    expect(await recover(cluster, survivor, order)).toEqual({ ok: true });
    await cluster.waitForLeader((store) => store === survivor);
    for (const id of [1, 2, 3]) {
      await cluster.complete(cluster.storeOf(id).start());
    }
    for (const id of [1, 2, 3, 5]) {
      const store = cluster.storeOf(id);
      await cluster.until(
        `Store ${id} has no peer of it any more`,
        () => store.store.surveyPeers().length === 0,
      );
    }
    await cluster.put("b", "2");
    expect(await cluster.scan()).toEqual(["a=1", "b=2", "h=1", "z=1"]);
  });

  it("keeps the pieces that no newer Region has, each as a Region that goes on from it", async () => {
    const cluster = await withLost(5);
    const survivor = cluster.storeOf(3);
    const whole = orderFor(survivor);
    const [own] = whole.pieces;
    if (own === undefined) {
      throw new Error("an order names what becomes of the Region");
    }
    const epoch = { confVer: own.epoch.confVer, version: own.epoch.version + 3 };
    const peers = own.peers.map((peer) => ({ ...peer, id: peerId(801) }));
    const pieces: Region[] = [
      { ...own, epoch, endKey: bytes("g") },
      { ...own, epoch, peers, id: regionId(800), startKey: bytes("p") },
    ];
    expect(await recover(cluster, survivor, { ...whole, pieces })).toEqual({ ok: true });
    const expectPieces = async (): Promise<void> => {
      await cluster.waitForLeader(() => true, FIRST);
      await cluster.waitForLeader(() => true, regionId(800));
      const rows = await cluster.complete(contentOf(survivor));
      expect(rows.map((row) => row.split("@")[0])).toEqual(["a=1", "z=1"]);
    };
    await expectPieces();
    const version = await cluster.put("z", "1");
    // Its revision goes on where the whole Region's was.
    expect(version).toBe(4);
    survivor.crash();
    await cluster.complete(survivor.start());
    await expectPieces();
    expect(cluster.statusOf(survivor, regionId(800)).region).toMatchObject({ epoch, peers });
  });

  it("is as it was or recovered after a crash at any moment of it", async () => {
    let recoveredCount = 0;
    // undefined: at once, before anything of it was done.
    const delays = [undefined, 0, 0.2, 0.5, 1, 2, 20];
    for (const [seed, delayMs] of delays.entries()) {
      const cluster = await withLost(10 + seed);
      const survivor = cluster.storeOf(3);
      const order = orderFor(survivor);
      void survivor.store.recoverRegion(order);
      if (delayMs !== undefined) {
        await cluster.run(delayMs);
      }
      survivor.crash();
      await cluster.complete(survivor.start());
      const { confVer } = cluster.statusOf(survivor).region.epoch;
      const isRecovered = confVer === order.pieces[0]?.epoch.confVer;
      expect(isRecovered || confVer === order.epoch.confVer).toBe(true);
      recoveredCount += Number(isRecovered);
      expect(await recover(cluster, survivor, order)).toEqual({ ok: true });
      await cluster.waitForLeader((store) => store === survivor);
      expect(await cluster.scan()).toEqual(["a=1", "h=1", "z=1"]);
    }
    expect(recoveredCount).toBeGreaterThan(0);
    expect(recoveredCount).toBeLessThan(delays.length);
  });
});

/**
 * Three Stores of which the first leads and the second is dead, "a" is "1" everywhere; the third gets what is done then,
 * but hears of its commit only with what comes later. Then it is the only one.
 */
async function withUntoldCommits(
  seed: number,
  act: (cluster: SimCluster) => Promise<void>,
): Promise<{ cluster: SimCluster; survivor: SimStore }> {
  const cluster = await startOfThree(seed);
  await leadFrom(cluster, cluster.storeOf(1));
  cluster.storeOf(2).crash();
  await cluster.put("a", "1");
  await cluster.run(1_000);
  cluster.network.intercept = ({ toPeer, payload }) =>
    toPeer.storeId === 3 &&
    payload.kind === "raft" &&
    (payload.message.type === "MsgHeartbeat" ||
      (payload.message.type === "MsgApp" && payload.message.entries.length === 0))
      ? "drop"
      : "deliver";
  await act(cluster);
  cluster.storeOf(1).crash();
  await cluster.run(3_000);
  return { cluster, survivor: cluster.storeOf(3) };
}

async function splitAt(cluster: SimCluster, key: string): Promise<void> {
  const leader = cluster.storeOf(1);
  const { region } = cluster.statusOf(leader);
  const wish = { regionId: region.id, epoch: region.epoch, keys: [bytes(key)], partCount: 2 };
  expect(await cluster.complete(leader.store.splitRegion(wish))).toEqual({ ok: true });
}

async function startOfThree(seed: number): Promise<SimCluster> {
  return SimCluster.start({ seed, config: { hibernateAfterMs: 0, stalePeerMs: 1_000 } });
}

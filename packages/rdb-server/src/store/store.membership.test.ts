import { type Peer, type PeerId, type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { FULL_RANGE } from "@flaredb/rdb-base";
import { getRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, contentOf } from "../testing/index.ts";
import type { AdminOutcome, PeerChange } from "./admin-command.ts";

/** A cluster of five Stores, whose one Region begins on Store 1 alone. */
async function fiveStores(seed: number, config: Record<string, unknown> = {}): Promise<SimCluster> {
  const cluster = await SimCluster.start({ seed, storeCount: 5, bootstrap: false, config });
  const first = { ...cluster.region, peers: cluster.region.peers.slice(0, 1) };
  await cluster.complete(cluster.storeOf(1).store.createPeer(first));
  await cluster.waitForLeader();
  return cluster;
}

function regionNow(cluster: SimCluster): Region {
  const leader = cluster.leader();
  return cluster.statusOf(leader as SimStore).region;
}

function peerOn(store: number, id = 100 + store): Peer {
  return { id: peerId(id), storeId: storeId(store), role: "Voter" };
}

function change(kind: PeerChange["kind"], peer: Peer): PeerChange {
  return { kind, peer };
}

/** Gives the leader the command, as PD does, at the epoch that it has. */
async function command(cluster: SimCluster, ...changes: PeerChange[]): Promise<AdminOutcome> {
  const leader = await cluster.waitForLeader();
  const { id, epoch } = cluster.statusOf(leader).region;
  return cluster.complete(leader.store.changePeers({ regionId: id, epoch, changes }));
}

/** Commands until it is taken, and waits until the leader has applied it. */
async function make(cluster: SimCluster, ...changes: PeerChange[]): Promise<void> {
  let outcome: AdminOutcome = { ok: false, reason: "Busy", message: "never tried" };
  const { confVer } = regionNow(cluster).epoch;
  for (let attempt = 0; attempt < 200 && !outcome.ok; attempt++) {
    outcome = await command(cluster, ...changes);
    await cluster.run(50);
  }
  expect(outcome).toEqual({ ok: true });
  await cluster.until("the change is applied", () => regionNow(cluster).epoch.confVer > confVer);
}

async function add(cluster: SimCluster, peer: Peer): Promise<void> {
  await make(cluster, change("AddLearner", peer));
  await make(cluster, change("Promote", peer));
}

function rolesOf(cluster: SimCluster): Record<number, string> {
  return Object.fromEntries(regionNow(cluster).peers.map((peer) => [peer.storeId, peer.role]));
}

/** Nothing of the Region is on the Store but a tombstone of its peer. */
async function expectGone(cluster: SimCluster, store: SimStore, id: PeerId): Promise<void> {
  await cluster.until(
    `Store ${store.storeId} has no peer`,
    () => store.store.regionStatus(regionId(1)) === undefined,
  );
  await cluster.run(500);
  const local = getRegionLocalState(store.engine, regionId(1));
  expect(local?.state).toBe("Tombstone");
  expect(local?.region.peers.find((peer) => peer.storeId === store.storeId)?.id).toBe(id);
  expect(await cluster.complete(contentOf(store))).toEqual([]);
  for (const column of ["raft_log", "raft_state", "session"] as const) {
    const cursor = store.engine.openCursor(column, FULL_RANGE);
    const { rows } = await cluster.complete(cursor.next(10, 1_000));
    cursor.close();
    expect({ column, rows }).toEqual({ column, rows: [] });
  }
}

describe("membership", () => {
  it("SPEC-C1: a learner is made by message, filled by a snapshot, promoted, and another peer removed", async () => {
    const cluster = await fiveStores(1);
    for (let n = 0; n < 20; n++) {
      await cluster.put(`k${n}`, "v");
    }
    await add(cluster, peerOn(2));
    await add(cluster, peerOn(3));
    expect(rolesOf(cluster)).toEqual({ 1: "Voter", 2: "Voter", 3: "Voter" });
    const leader = await cluster.waitForLeader();
    const victim = [1, 2, 3].find((id) => id !== leader.storeId) ?? 0;
    await make(cluster, change("Remove", peerOn(victim)));
    await expectGone(cluster, cluster.storeOf(victim), peerId(100 + victim));
    await cluster.put("after", "1");
    expect(regionNow(cluster).peers.map((peer) => peer.storeId)).not.toContain(victim);
    expect(regionNow(cluster).epoch.confVer).toBe(6);
    for (const peer of regionNow(cluster).peers) {
      await cluster.until("everybody has everything", () => {
        const status = cluster.statusOf(cluster.storeOf(peer.storeId));
        return status.appliedIndex === cluster.statusOf(leader).lastIndex;
      });
      expect(await cluster.complete(contentOf(cluster.storeOf(peer.storeId)))).toHaveLength(21);
    }
  });
});

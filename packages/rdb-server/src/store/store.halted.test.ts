import { type Peer, type RegionId, index, regionId } from "@flaredb/rdb-base";
import { type KvResponse, epochToProto } from "@flaredb/rdb-proto";
import {
  type Column,
  WritePart,
  getRegionLocalState,
  indexedKey,
  putRegionLocalState,
  stateKey,
  stateKinds,
} from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  SimCluster,
  type SimStore,
  addVoter,
  bytes,
  commandChange,
  contentOf,
  deleteRangeCommand,
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
import { raftMessage } from "../testing/peer-messages.ts";
import type { Refusal } from "./peer-message.ts";
import type { RegionStatus } from "./store-handle.ts";

const FIRST = regionId(1);
const ALERT = { hibernateAfterMs: 0, stalePeerMs: 1_000 } as const;

/** Puts a row on one disk that nobody can read, has the peer apply an entry that reads it, and takes it away again. */
async function haltFor(cluster: SimCluster, store: SimStore, key: string): Promise<void> {
  const sound = store.engine.get("data", bytes(key));
  const put = (value: Uint8Array): void => {
    const part = new WritePart();
    part.put("data", bytes(key), value);
    store.engine.submit(part);
  };
  put(Uint8Array.of(9));
  await cluster.cas(key, "1", "2");
  await cluster.until("the peer halts", () => store.store.regionStatus(FIRST) === undefined);
  put(sound as Uint8Array);
  await cluster.run(100);
}

/** Three Stores that Store 1 leads, with rows on both sides of `m`; the peer on Store 2 has halted. */
async function withHalted(seed: number): Promise<{ cluster: SimCluster; halted: SimStore }> {
  const cluster = await startWithPeersOnFirst({ seed, peerCount: 3, config: ALERT });
  await leadFrom(cluster, cluster.storeOf(1));
  for (const key of ["a", "m", "z"]) {
    await cluster.put(key, "1");
  }
  await expectMembers(cluster);
  const halted = cluster.storeOf(2);
  await haltFor(cluster, halted, "a");
  return { cluster, halted };
}

async function expectMembers(cluster: SimCluster): Promise<void> {
  await cluster.until("all have applied everything", () => {
    const indexes = [1, 2, 3].map((id) => cluster.statusOf(cluster.storeOf(id)).appliedIndex);
    return new Set(indexes).size === 1;
  });
}

/** Cuts the Region at `m`, and writes to both parts. @returns the new Region */
async function split(cluster: SimCluster): Promise<RegionId> {
  const leader = await cluster.waitForLeader();
  const { id, epoch } = cluster.statusOf(leader).region;
  const command = { regionId: id, epoch, keys: [bytes("m")], partCount: 2 };
  expect(await cluster.complete(leader.store.splitRegion(command))).toEqual({ ok: true });
  await cluster.until("it is split", () => cluster.regions.length === 2);
  await cluster.put("m", "4");
  await cluster.put("z", "9");
  await cluster.run(1_000);
  return cluster.regions[1]?.id as RegionId;
}

/** Hands a Region's leadership to its peer on a Store, when that has caught up. */
async function lead(cluster: SimCluster, store: SimStore, region: RegionId): Promise<void> {
  await cluster.until("it leads there", () => {
    const leader = cluster.leader(region);
    const now = leader === undefined ? undefined : cluster.statusOf(leader, region).region;
    const to = now?.peers.find((peer) => peer.storeId === store.storeId);
    if (leader !== store && now !== undefined && to !== undefined) {
      leader?.store.transferLeader(region, now.epoch, to.id);
    }
    return leader === store;
  });
}

const runningOn = (store: SimStore): RegionId[] =>
  store.store.regionStatuses().map(({ region }) => region.id);

describe("a peer that has halted", () => {
  it("SPEC-R3: keeps its keys: nothing newer is there that it could overwrite after a restart", async () => {
    const { cluster, halted } = await withHalted(1);
    const child = await split(cluster);
    expect(runningOn(halted)).toEqual([]);
    await cluster.complete(halted.stop());
    await cluster.complete(halted.start());
    await lead(cluster, halted, child);
    expect(runningOn(halted)).toEqual([FIRST, child]);
    expect([await cluster.get("m"), await cluster.get("z")]).toEqual(["4", "9"]);
    // What it said before is not held against it.
    const { peerId } = cluster.statusOf(halted);
    await cluster.until("it counts again", () => {
      const leader = cluster.leader();
      return leader !== undefined && !cluster.statusOf(leader).damagedPeerIds.includes(peerId);
    });
  });

  it("SPEC-R3: that was removed goes with what was its own, and with nothing of a later Region", async () => {
    const { cluster, halted } = await withHalted(2);
    const child = await split(cluster);
    await makeChange(cluster, remove(peerOn(2)));
    halted.crash();
    await cluster.complete(halted.start());
    await lead(cluster, halted, child);
    expect(runningOn(halted)).toEqual([child]);
    expect([await cluster.get("m"), await cluster.get("z")]).toEqual(["4", "9"]);
    expect(await cluster.complete(contentOf(halted))).toHaveLength(2);
  });

  it("SPEC-R3: is one whose log the disk does not give back: no other peer of its Store stops with it", async () => {
    const config = { ...ALERT, entryCacheBytes: 0 };
    const cluster = await SimCluster.start({ seed: 8, config, splitKeys: ["m"] });
    const other = cluster.regions[1]?.id as RegionId;
    await lead(cluster, cluster.storeOf(1), FIRST);
    await lead(cluster, cluster.storeOf(1), other);
    const behind = cluster.storeOf(3);
    cluster.isolate(behind);
    await cluster.put("a", "1");
    await cluster.put("b", "1");
    const store = cluster.storeOf(1);
    await cluster.complete(store.engine.flush());
    store.disk.damage("raft_log", indexedKey(FIRST, index(cluster.statusOf(store).appliedIndex)));
    cluster.network.heal();
    await cluster.until("the peer halts", () => store.store.regionStatus(FIRST) === undefined);
    expect(runningOn(store)).toEqual([other]);
    await cluster.put("z", "1", { only: store.storeId });
    expect(await cluster.get("b")).toBe("1");
  });

  it("SPEC-R3: is one that cannot send what PD has it propose: its Store goes on", async () => {
    const config = { ...ALERT, entryCacheBytes: 0 };
    const cluster = await SimCluster.start({ seed: 10, config, splitKeys: ["m"] });
    const other = cluster.regions[1]?.id as RegionId;
    const store = cluster.storeOf(1);
    await lead(cluster, store, FIRST);
    await lead(cluster, store, other);
    await cluster.put("a", "1");
    await cluster.complete(store.engine.flush());
    store.disk.damage("raft_log", indexedKey(FIRST, index(cluster.statusOf(store).lastIndex)));
    const { epoch, peers } = cluster.statusOf(store).region;
    const changes = [remove(peers[2] as Peer)];
    const outcome = await cluster.complete(store.store.changePeers({ regionId: FIRST, epoch, changes }));
    expect(outcome).toMatchObject({ ok: false, reason: "Busy" });
    expect(runningOn(store)).toEqual([other]);
    await cluster.put("z", "1", { only: store.storeId });
    expect(await cluster.get("a")).toBe("1");
  });

  it("answers every write that waited when it cannot send what it proposes", async () => {
    const cluster = await SimCluster.start({ seed: 13, config: { ...ALERT, entryCacheBytes: 0 } });
    const store = cluster.storeOf(1);
    await lead(cluster, store, FIRST);
    await cluster.put("a", "1");
    // The others hear of its commit.
    await expectMembers(cluster);
    await cluster.run(200);
    await cluster.complete(store.engine.flush());
    store.disk.damage("raft_log", indexedKey(FIRST, index(cluster.statusOf(store).lastIndex)));
    const writes = [putCommand("a", "2"), deleteRangeCommand("b", "c"), putCommand("d", "3")];
    const outcomes = await cluster.complete(
      Promise.all(writes.map((write) => cluster.client.call(write, { only: store.storeId }))),
    );
    expect(outcomes.map(({ kind }) => kind)).not.toContain("ok");
    expect(runningOn(store)).toEqual([]);
  });

  it("SPEC-R3: is one that cannot ask for votes as it wakes to take over: its Store goes on", async () => {
    const cluster = await SimCluster.start({ seed: 11, config: { entryCacheBytes: 0 }, splitKeys: ["m"] });
    const other = cluster.regions[1]?.id as RegionId;
    const [silent, next] = [cluster.storeOf(1), cluster.storeOf(2)];
    await lead(cluster, silent, FIRST);
    await lead(cluster, silent, other);
    await cluster.put("a", "1");
    await cluster.put("z", "1");
    const statuses = (): RegionStatus[] => cluster.stores.flatMap((store) => store.store.regionStatuses());
    await cluster.until("all sleep", () => statuses().every(({ isAsleep }) => isAsleep));
    await cluster.complete(next.engine.flush());
    next.disk.damage("raft_log", indexedKey(FIRST, index(cluster.statusOf(next).lastIndex)));
    silent.crash();
    await cluster.until("the peer halts", () => next.store.regionStatus(FIRST) === undefined);
    expect(runningOn(next)).toEqual([other]);
    expect(await cluster.get("z")).toBe("1");
  });

  it("is destroyed by a tombstone without a restart, and makes room for what comes later", async () => {
    const { cluster, halted } = await withHalted(3);
    const child = await split(cluster);
    await makeChange(cluster, remove(peerOn(2)));
    await cluster.until("the later Region is there", () => runningOn(halted).join() === `${child}`);
    expect((await remainsOf(cluster, halted)).state).toBe("Tombstone");
  });

  it("asks whether it was removed when nobody told it", async () => {
    const { cluster, halted } = await withHalted(4);
    cluster.isolate(halted);
    await makeChange(cluster, remove(peerOn(2)));
    await cluster.run(5_000);
    cluster.network.heal();
    // A leader's last word to it is lost: it asks within a minute.
    for (let second = 0; second < 61; second++) {
      await cluster.run(1_000);
    }
    expect(getRegionLocalState(halted.engine, FIRST)?.state).toBe("Tombstone");
  });

  it("SPEC-C1: is reported as damaged, and counts for no quorum", async () => {
    const { cluster } = await withHalted(5);
    const leader = cluster.storeOf(1);
    await cluster.until("PD is told", () => cluster.statusOf(leader).damagedPeerIds.join() === "102");
    expect(cluster.statusOf(leader).downPeerIds).toEqual([]);
    expect(await commandChange(cluster, remove(peerOn(3)))).toMatchObject({ reason: "QuorumAtRisk" });
    const { epoch } = await regionNow(cluster);
    expect(leader.store.transferLeader(FIRST, epoch, peerOn(2).id)).toMatchObject({ reason: "PeerBehind" });
    // It can be replaced.
    await addVoter(cluster, peerOn(4));
    await makeChange(cluster, remove(peerOn(2)));
    await makeChange(cluster, remove(peerOn(3)));
    await cluster.put("a", "goes on");
  });
});

describe("what a Region that is not here has left, and the disk does not give back", () => {
  const GONE = regionId(999);

  it("SPEC-M2: refuses its requests and messages, and nothing else", async () => {
    const cluster = await SimCluster.start({ seed: 12 });
    const leader = await cluster.waitForLeader();
    for (const kind of [stateKinds.merge, stateKinds.localState]) {
      leader.disk.damage("region", stateKey(GONE, kind));
    }
    const header = {
      $typeName: "rdb.v1.RegionHeader",
      ...{ regionId: BigInt(GONE), storeId: 0n, epoch: epochToProto({ confVer: 1, version: 1 }) },
    } as const;
    const answers: KvResponse[] = [];
    const refusals: Refusal[] = [];
    leader.call((store) => {
      store.handle(header, [kvRequest({ requestId: 1, command: getCommand("a") })], (answer) =>
        answers.push(answer),
      );
      const message = raftMessage(9, leader.storeId, { type: "MsgVote" }, GONE);
      store.receive([message], (refused) => refusals.push(...refused));
    });
    expect(answers.map(({ result }) => result)).toMatchObject([
      { case: "error", value: { reason: { case: "regionNotFound" } } },
    ]);
    expect(refusals).toMatchObject([{ regionId: GONE, reason: "Busy" }]);
    await cluster.put("a", "1");
  });
});

describe("a start that cannot read what one Region has", () => {
  const records: [string, Column, Uint8Array][] = [
    ["its HardState", "raft_state", stateKey(FIRST, stateKinds.hardState)],
    ["its configuration", "raft_state", stateKey(FIRST, stateKinds.confState)],
    ["where its log begins", "raft_state", stateKey(FIRST, stateKinds.truncated)],
  ];

  it.each(records)("runs the others: %s is damaged", async (_, column, key) => {
    const cluster = await startWithPeersOnFirst({ seed: 9, peerCount: 3, config: ALERT });
    await leadFrom(cluster, cluster.storeOf(1));
    for (const row of ["a", "m", "z"]) {
      await cluster.put(row, "1");
    }
    const child = await split(cluster);
    const odd = cluster.storeOf(2);
    await cluster.until("the new Region is there", () => runningOn(odd).includes(child));
    await cluster.complete(odd.stop());
    odd.disk.damage(column, key);
    await cluster.complete(odd.start());
    await lead(cluster, odd, child);
    expect(runningOn(odd)).toEqual([child]);
    expect([await cluster.get("m"), await cluster.get("z")]).toEqual(["4", "9"]);
    // It keeps its keys and promises, and is replaced.
    await cluster.until("PD is told", () =>
      cluster.statusOf(cluster.storeOf(1)).damagedPeerIds.includes(peerOn(2).id),
    );
    await addVoter(cluster, peerOn(4));
    await makeChange(cluster, remove(peerOn(2)));
    await cluster.until("it is gone", () => getRegionLocalState(odd.engine, FIRST)?.state === "Tombstone");
    expect(await cluster.get("m")).toBe("4");
    await cluster.put("a", "goes on");
  });
});

describe("a start that finds two Regions with the same keys", () => {
  it("SPEC-R3: runs the newer one alone, and spares its rows when the other goes", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 7, peerCount: 3, config: ALERT });
    for (const key of ["a", "m", "z"]) {
      await cluster.put(key, "1");
    }
    const before = await regionNow(cluster);
    await leadFrom(cluster, cluster.storeOf(1));
    const child = await split(cluster);
    const odd = cluster.storeOf(2);
    const part = new WritePart();
    putRegionLocalState(part, { state: "Normal", region: before });
    odd.engine.submit(part);
    await cluster.complete(odd.stop());
    await cluster.complete(odd.start());
    await cluster.run(2_000);
    expect(runningOn(odd)).toEqual([child]);
    expect(cluster.statusOf(cluster.storeOf(1)).damagedPeerIds).toEqual([102]);
    await makeChange(cluster, remove(peerOn(2)));
    await cluster.until("it is gone", () => getRegionLocalState(odd.engine, FIRST)?.state === "Tombstone");
    await lead(cluster, odd, child);
    expect([await cluster.get("m"), await cluster.get("z")]).toEqual(["4", "9"]);
    expect(await cluster.complete(contentOf(odd))).toHaveLength(2);
  });
});

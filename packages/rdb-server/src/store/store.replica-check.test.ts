import { type RegionId, clusterVersions, regionId } from "@flaredb/rdb-base";
import { WritePart, encodeValue, indexedKey } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  FaultPlan,
  SimCluster,
  type SimStore,
  Workload,
  bytes,
  expectConverged,
  getCommand,
  putCommand,
} from "../testing/index.ts";
import type { AdminOutcome } from "./admin-command.ts";

const PATIENT = { hibernateAfterMs: 0 } as const;

/** As PD does: has the Region checked, wherever its leader is. */
async function check(cluster: SimCluster, region: RegionId = cluster.region.id): Promise<AdminOutcome> {
  const leader = await cluster.waitForLeader(undefined, region);
  const { epoch } = cluster.statusOf(leader, region).region;
  return cluster.complete(leader.store.checkRegion({ regionId: region, epoch }));
}

/** What no program wrote: a row on the disk of one Store that its peers do not have. */
function flip(store: SimStore, key: string, value = "flipped"): void {
  const part = new WritePart();
  part.put("data", bytes(key), encodeValue(1, bytes(value)));
  store.engine.submit(part);
}

async function filledCluster(
  seed: number,
  storeCount = 3,
): Promise<{ cluster: SimCluster; leader: SimStore }> {
  const cluster = await SimCluster.start({ seed, storeCount, config: PATIENT });
  const leader = await cluster.waitForLeader();
  const client = cluster.newPersistentClient();
  for (let n = 0; n < 20; n++) {
    await cluster.complete(client.call(putCommand(`k${n}`, `${n}`)));
  }
  await cluster.delete("k3");
  return { cluster, leader };
}

const isDamaged = (store: SimStore): boolean =>
  store.store.regionStatuses().some((status) => status.isDamaged);

describe("a replica check", () => {
  it("finds peers equal that are equal, while writes go on", async () => {
    const { cluster, leader } = await filledCluster(1);
    const { appliedIndex } = cluster.statusOf(leader);
    const outcome = check(cluster);
    for (let n = 0; n < 10; n++) {
      await cluster.put(`k${n}`, "meanwhile");
    }
    expect(await outcome).toEqual({ ok: true });
    await cluster.until("all agree", () =>
      cluster.stores.every((store) => cluster.statusOf(store).verifiedIndex > appliedIndex),
    );
    expect(cluster.statusOf(leader).damagedPeerIds).toEqual([]);
    expect(cluster.stores.some(isDamaged)).toBe(false);
  });

  it.each(["a changed value", "a row too many", "what is remembered of a client"])(
    "finds a follower with %s, and quarantines it",
    async (what) => {
      const { cluster, leader } = await filledCluster(2);
      const odd = cluster.others(leader.storeId)[0] as SimStore;
      await expectConverged(cluster);
      if (what === "what is remembered of a client") {
        const part = new WritePart();
        part.put("session", indexedKey(cluster.region.id, 9 as never), bytes("x"));
        odd.engine.submit(part);
      } else {
        flip(odd, what === "a row too many" ? "k3" : "k5");
      }
      expect(await check(cluster)).toEqual({ ok: true });
      await cluster.until("it is found", () => isDamaged(odd));
      const { peerId } = cluster.statusOf(odd);
      await cluster.until("PD is told", () => cluster.statusOf(leader).damagedPeerIds.includes(peerId));
      expect(cluster.stores.filter(isDamaged)).toEqual([odd]);
      const read = await cluster.call(getCommand("k5"), {
        only: odd.storeId,
        fromFollower: true,
        timeoutMs: 500,
      });
      expect(read.kind).toBe("failed");
      expect(await cluster.get("k5")).toBe("5");
      await cluster.put("k5", "goes on");
    },
  );

  it("quarantines a leader that is the odd one: another leads, and nobody reads from it", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const { cluster, leader } = await filledCluster(seed);
      flip(leader, "k5");
      await check(cluster);
      await cluster.until("it is found", () => isDamaged(leader));
      const read = await cluster.call(getCommand("k5"), { only: leader.storeId, timeoutMs: 500 });
      expect(read.kind).not.toBe("ok");
      const next = await cluster.waitForLeader((store) => store !== leader);
      expect(await cluster.get("k5")).toBe("5");
      const { peerId } = cluster.statusOf(leader);
      await cluster.until("PD is told", () => cluster.statusOf(next).damagedPeerIds.includes(peerId));
    }
  });

  it("says so and does nothing when no majority tells who is right", async () => {
    const { cluster, leader } = await filledCluster(3, 2);
    flip(leader, "k5");
    await check(cluster);
    await cluster.until("it is told", () =>
      cluster.trace.has("the Region's peers differ, and no majority says who is right"),
    );
    expect(cluster.stores.some(isDamaged)).toBe(false);
    expect(await check(cluster)).toEqual({ ok: true });
  });

  it("is refused for another epoch, and where the Region is not led", async () => {
    const { cluster, leader } = await filledCluster(4);
    const { epoch } = cluster.region;
    const wrong = { regionId: cluster.region.id, epoch: { ...epoch, version: 99 } };
    expect(await leader.store.checkRegion(wrong)).toMatchObject({ reason: "EpochNotMatch" });
    const follower = cluster.others(leader.storeId)[0] as SimStore;
    const target = { regionId: cluster.region.id, epoch };
    expect(await follower.store.checkRegion(target)).toMatchObject({ reason: "NotLeader" });
    const nowhere = { regionId: regionId(77), epoch };
    expect(await leader.store.checkRegion(nowhere)).toMatchObject({ reason: "NotLeader" });
  });

  it("never takes the only voter for damaged: what it can read it goes on to serve", async () => {
    const { cluster, leader } = await filledCluster(9, 1);
    const part = new WritePart();
    part.put("data", bytes("k5"), new Uint8Array([9]));
    leader.engine.submit(part);
    await expect(cluster.scan("k5", "k6")).rejects.toThrow("a stored value is 1 bytes long");
    expect(await cluster.get("k6")).toBe("6");
    await cluster.put("k7", "still written");
    expect(leader.store.regionStatuses().map(({ isDamaged: mark }) => mark)).toEqual([false]);
  });

  it("waits for its turn: a Store checks one Region at a time", async () => {
    const cluster = await SimCluster.start({ seed: 5, splitKeys: ["m"], config: PATIENT });
    const [first, second] = cluster.regions.map(({ id }) => id) as [RegionId, RegionId];
    const leader = await cluster.waitForLeader(undefined, first);
    await cluster.waitForLeader(undefined, second);
    const { region, peerId } = cluster.statusOf(leader, second);
    await cluster.until("one Store leads both", () => {
      cluster.leader(second)?.store.transferLeader(second, region.epoch, peerId);
      return cluster.leader(second) === leader;
    });
    const slow = cluster.others(leader.storeId);
    cluster.isolate(leader);
    const begun: RegionId[] = [];
    for (const id of [first, second]) {
      void leader.store
        .checkRegion({ regionId: id, epoch: cluster.statusOf(leader, id).region.epoch })
        .then(() => begun.push(id));
    }
    await cluster.run(200);
    expect(begun).toEqual([first]);
    cluster.network.heal();
    await cluster.until("the second had its turn", () => begun.length === 2);
    expect(slow.some(isDamaged)).toBe(false);
  });
});

describe("a damaged peer", () => {
  async function withDamagedFollower(seed: number) {
    const { cluster, leader } = await filledCluster(seed);
    const [odd, sound] = cluster.others(leader.storeId) as [SimStore, SimStore];
    flip(odd, "k5");
    await check(cluster);
    await cluster.until("it is found", () => isDamaged(odd));
    // Until the mark is durable.
    await cluster.run(100);
    return { cluster, leader, odd, sound };
  }

  it("is sound again when a later check finds all that it has to be right", async () => {
    const { cluster, leader } = await filledCluster(11);
    const odd = cluster.others(leader.storeId)[0] as SimStore;
    await expectConverged(cluster);
    const sound = odd.engine.get("data", bytes("k5")) as Uint8Array;
    flip(odd, "k5");
    await check(cluster);
    const { peerId } = cluster.statusOf(odd);
    await cluster.until("PD is told", () => cluster.statusOf(leader).damagedPeerIds.includes(peerId));
    // Checked again it still has other rows than most.
    await cluster.run(1_000);
    const { verifiedIndex } = cluster.statusOf(leader);
    await check(cluster);
    await cluster.until("it is checked", () => cluster.statusOf(leader).verifiedIndex > verifiedIndex);
    await cluster.run(1_000);
    expect(isDamaged(odd)).toBe(true);
    // As after a read that the memory or the bus garbled: the disk had the right row all along.
    const part = new WritePart();
    part.put("data", bytes("k5"), sound);
    odd.engine.submit(part);
    await check(cluster);
    await cluster.until("it is sound", () => !isDamaged(odd));
    await cluster.until("PD is told", () => cluster.statusOf(leader).damagedPeerIds.length === 0);
    odd.crash();
    await cluster.complete(odd.start());
    await cluster.run(6_000);
    expect(isDamaged(odd)).toBe(false);
    expect(cluster.statusOf(await cluster.waitForLeader()).damagedPeerIds).toEqual([]);
    await expectConverged(cluster);
  });

  it("is damaged by what it meets after it was hashed, whatever the check says of the rows before", async () => {
    const { cluster, leader } = await filledCluster(12);
    await expectConverged(cluster);
    const sound = leader.engine.get("data", bytes("k5")) as Uint8Array;
    const setRow = (value: Uint8Array): void => {
      const part = new WritePart();
      part.put("data", bytes("k5"), value);
      leader.engine.submit(part);
    };
    // The verdict is in the log, and not committed yet.
    let isTold = false;
    cluster.network.intercept = ({ payload }) => {
      isTold ||= payload.kind === "replicaHash";
      return isTold && payload.kind === "raft" && payload.message.type === "MsgAppResp" ? "drop" : "deliver";
    };
    const before = cluster.statusOf(leader).lastIndex;
    await check(cluster);
    await cluster.until("there is a verdict", () => cluster.statusOf(leader).lastIndex === before + 2);
    setRow(Uint8Array.of(9));
    await cluster.call(getCommand("k5"), { only: leader.storeId, timeoutMs: 200 });
    expect(isDamaged(leader)).toBe(true);
    expect(cluster.statusOf(leader).verifiedIndex).toBe(0);
    setRow(sound);
    cluster.network.heal();
    await cluster.until("it is found equal", () => cluster.statusOf(leader).verifiedIndex > before);
    expect(isDamaged(leader)).toBe(true);
    // The next check is about what it has now.
    await cluster.run(1_000);
    await check(cluster);
    await cluster.until("it is sound", () => !isDamaged(leader));
  });

  it("stays in quarantine after a restart, and says so to whoever leads then", async () => {
    const { cluster, odd, leader } = await withDamagedFollower(11);
    odd.crash();
    leader.crash();
    await cluster.complete(Promise.all([odd.start(), leader.start()]));
    expect(isDamaged(odd)).toBe(true);
    const next = await cluster.waitForLeader((store) => store !== odd);
    const { peerId } = cluster.statusOf(odd);
    await cluster.until("PD is told", () => cluster.statusOf(next).damagedPeerIds.includes(peerId));
  });

  it("never asks to lead, however often the others fall away, and its vote still counts", async () => {
    const { cluster, odd, leader, sound } = await withDamagedFollower(12);
    const client = cluster.newPersistentClient();
    const { peerId } = cluster.statusOf(odd);
    const sent = new Set<string>();
    const { onSend } = cluster.network;
    cluster.network.onSend = (message) => {
      onSend(message);
      if (message.fromPeer.id === peerId && message.payload.kind === "raft") {
        sent.add(message.payload.message.type);
      }
    };
    for (const away of [leader, sound, leader]) {
      cluster.isolate(away);
      const other = away === leader ? sound : leader;
      await cluster.waitForLeader((store) => store === other);
      // Only with its acknowledgement is there a majority.
      const written = await cluster.complete(client.call(putCommand("k6", "x"), { timeoutMs: 20_000 }));
      expect(written.kind).toBe("ok");
      cluster.network.heal();
      await cluster.run(3_000);
      const { region, term } = cluster.statusOf(other);
      other.store.transferLeader(region.id, region.epoch, peerId);
      await cluster.run(3_000);
      expect(cluster.statusOf(other)).toMatchObject({ isLeader: true, term });
    }
    expect(await cluster.get("k5")).toBe("5");
    expect(sent).toContain("MsgAppResp");
    for (const type of ["MsgPreVote", "MsgVote", "MsgApp", "MsgHeartbeat", "MsgSnap"]) {
      expect(sent).not.toContain(type);
    }
  });

  it("makes damaged peers where its Region is split", async () => {
    const { cluster, odd, leader } = await withDamagedFollower(13);
    const { region } = cluster.statusOf(leader);
    const keys = [bytes("k2")];
    const split = leader.store.splitRegion({ regionId: region.id, epoch: region.epoch, keys, partCount: 0 });
    expect(await cluster.complete(split)).toEqual({ ok: true });
    await cluster.until("the split is everywhere", () =>
      cluster.stores.every((store) => store.store.regionStatuses().length === 2),
    );
    expect(odd.store.regionStatuses().map((status) => status.isDamaged)).toEqual([true, true]);
    expect(cluster.others(odd.storeId).some(isDamaged)).toBe(false);
    odd.crash();
    await cluster.complete(odd.start());
    expect(odd.store.regionStatuses().map((status) => status.isDamaged)).toEqual([true, true]);
  });
});

it("SPEC-R4: replica checks under faults find no peer that differs", async () => {
  for (let seed = 0; seed < 4; seed++) {
    const cluster = await SimCluster.start({
      seed,
      splitKeys: ["m"],
      config: { ...PATIENT, logGc: { maxEntries: 50, checkIntervalMs: 100 } },
    });
    const workload = new Workload(cluster, { clientCount: 4, keys: ["a", "b", "x"], pauseMaxMs: 40 });
    let askedCount = 0;
    const ask = (): void => {
      for (const { id } of cluster.regions) {
        const leader = cluster.leader(id);
        if (leader?.isRunning === true) {
          leader.call((store) => {
            const status = store.regionStatus(id);
            if (status !== undefined) {
              void store.checkRegion({ regionId: id, epoch: status.region.epoch });
              askedCount++;
            }
          });
        }
      }
    };
    for (let n = 0; n < 40; n++) {
      cluster.clock.setTimer(n * 500, ask);
    }
    await new FaultPlan(cluster).run(20_000);
    await workload.stop();
    await expectConverged(cluster);
    ask();
    await cluster.until("checks succeed", () =>
      cluster.regions.every(({ id }) => {
        const leader = cluster.leader(id);
        return leader !== undefined && cluster.statusOf(leader, id).verifiedIndex > 0;
      }),
    );
    expect(askedCount).toBeGreaterThan(20);
    expect(cluster.stores.some(isDamaged), `seed ${seed}: ${cluster.trace.tail()}`).toBe(false);
  }
});

describe("while not every Store knows the entries of a check", () => {
  const newest = clusterVersions.newest;

  it("a check is refused with a reason, and nothing is proposed", async () => {
    const { cluster, leader } = await filledCluster(21);
    const { lastIndex } = cluster.statusOf(leader);
    for (const store of cluster.stores) {
      await cluster.complete(store.stop());
      store.clusterVersion = { current: 1, newest };
      await cluster.complete(store.start());
    }
    const outcome = await check(cluster);
    expect(outcome).toMatchObject({
      ok: false,
      reason: "ClusterVersion",
      message: expect.stringContaining("computeHash needs cluster version 2"),
    });
    await cluster.put("after", "1");
    const now = cluster.statusOf(await cluster.waitForLeader());
    expect(now.lastIndex).toBeGreaterThan(lastIndex);
    expect(cluster.stores.every((store) => cluster.statusOf(store).verifiedIndex === 0)).toBe(true);
  });

  it("a peer of an older program halts at one and skips nothing; the newer program goes on from there", async () => {
    const { cluster, leader } = await filledCluster(22);
    const older = cluster.stores.find((store) => store !== leader) as SimStore;
    await cluster.complete(older.stop());
    older.clusterVersion = { current: 1, newest: 1 };
    await cluster.complete(older.start());
    // Against the rule: the cluster has a Store that does not know it.
    expect(await check(cluster)).toEqual({ ok: true });
    await cluster.put("k1", "after the check");
    await cluster.until("the older one halts", () => older.store.regionStatuses().length === 0);
    await cluster.complete(older.stop());
    older.clusterVersion = { current: newest, newest };
    await cluster.complete(older.start());
    await cluster.until("it has everything", () => {
      const leading = cluster.stores.find((store) => cluster.statusOf(store).isLeader);
      return (
        leading !== undefined &&
        cluster.statusOf(older).appliedIndex === cluster.statusOf(leading).appliedIndex
      );
    });
    expect(await check(cluster)).toEqual({ ok: true });
    await cluster.until("all agree", () =>
      cluster.stores.every((store) => cluster.statusOf(store).verifiedIndex > 0),
    );
  });
});

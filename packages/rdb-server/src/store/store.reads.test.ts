import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, getCommand, kvCommand, bytes, text } from "../testing/index.ts";

function others(cluster: SimCluster, store: SimStore): [SimStore, SimStore] {
  return cluster.others(store.storeId) as [SimStore, SimStore];
}

describe("a read from a follower", () => {
  it("sees every write that was acknowledged before it began (SCENARIO-30)", async () => {
    const cluster = await SimCluster.start({ seed: 1 });
    const leader = await cluster.waitForLeader();
    for (let n = 0; n < 30; n++) {
      await cluster.put("k", `${n}`);
      for (const follower of others(cluster, leader)) {
        expect(await cluster.get("k", { only: follower.storeId, fromFollower: true })).toBe(`${n}`);
      }
    }
  });

  it("sees it though messages are delayed, lost and out of order (SCENARIO-30)", async () => {
    const cluster = await SimCluster.start({ seed: 2 });
    const leader = await cluster.waitForLeader();
    cluster.network.setAll({ maxDelayMs: 75, lossRate: 0.1 });
    cluster.network.intercept = () =>
      cluster.random.nextInt(4) === 0 ? { delayMs: cluster.random.nextInt(200) } : "deliver";
    for (let n = 0; n < 20; n++) {
      await cluster.put("k", `${n}`, { only: leader.storeId, timeoutMs: 20_000 });
      for (const follower of others(cluster, leader)) {
        const read = await cluster.call(getCommand("k"), { only: follower.storeId, fromFollower: true });
        if (read.kind === "ok" && read.result.case === "get") {
          expect(text(read.result.value.value)).toBe(`${n}`);
        }
      }
    }
  });

  it("waits for what the follower has not applied (SCENARIO-31)", async () => {
    const cluster = await SimCluster.start({ seed: 3 });
    const leader = await cluster.waitForLeader();
    const [follower] = others(cluster, leader);
    await cluster.put("k", "old");
    follower.slowDisk(700);
    await cluster.put("k", "new");
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.get("k", { only: follower.storeId, fromFollower: true })).toBe("new");
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThan(500);
  });

  it("on a follower that is cut off ends with an error in time, never with an old value (SCENARIO-31)", async () => {
    const cluster = await SimCluster.start({ seed: 4 });
    const leader = await cluster.waitForLeader();
    const [follower, other] = others(cluster, leader);
    await cluster.put("k", "old");
    cluster.network.partition([follower.storeId], [leader.storeId, other.storeId]);
    await cluster.put("k", "new", { only: leader.storeId });
    const startMs = cluster.clock.monotonicMs();
    const read = await cluster.call(getCommand("k"), {
      only: follower.storeId,
      fromFollower: true,
      timeoutMs: 1_000,
    });
    expect(read.kind).not.toBe("ok");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(1_200);
  });

  it("is asked for again when its request or its answer was lost", async () => {
    const cluster = await SimCluster.start({ seed: 5 });
    const leader = await cluster.waitForLeader();
    const [follower] = others(cluster, leader);
    await cluster.put("k", "1");
    for (const lost of ["MsgReadIndex", "MsgReadIndexResp"]) {
      let lostCount = 0;
      cluster.network.intercept = ({ payload }) =>
        payload.kind === "raft" && payload.message.type === lost && lostCount++ === 0 ? "drop" : "deliver";
      expect(await cluster.get("k", { only: follower.storeId, fromFollower: true, timeoutMs: 3_000 })).toBe(
        "1",
      );
      expect(lostCount).toBeGreaterThan(1);
    }
  });

  it("outlives a change of leader", async () => {
    const cluster = await SimCluster.start({ seed: 6 });
    const leader = await cluster.waitForLeader();
    const [follower] = others(cluster, leader);
    await cluster.put("k", "1");
    leader.crash();
    expect(await cluster.get("k", { only: follower.storeId, fromFollower: true, timeoutMs: 5_000 })).toBe(
      "1",
    );
  });

  it("may be asked of the leader, too", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    expect(await cluster.get("k", { only: leader.storeId, fromFollower: true })).toBe("1");
  });

  it("is not what a request without readFrom gets: a follower refuses with the leader's place", async () => {
    const cluster = await SimCluster.start({ seed: 8 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    const [follower] = others(cluster, leader);
    const read = await cluster.call(getCommand("k"), { only: follower.storeId });
    expect(read).toMatchObject({
      kind: "failed",
      error: { reason: { case: "notLeader", value: { leader: { storeId: BigInt(leader.storeId) } } } },
    });
  });
});

describe("a read from the leader", () => {
  it("that waits on the lease when the lease ends is confirmed by a round", async () => {
    const cluster = await SimCluster.start({ seed: 9 });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "old");
    await cluster.get("k");
    // The write is committed by the followers; the leader's slow disk keeps it from being applied for longer than a lease.
    leader.slowDisk(900);
    void cluster
      .newClient()
      .call({ ...kvCommand({ case: "put", value: { key: bytes("k"), value: bytes("new") } }) });
    await cluster.run(20);
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.get("k", { only: leader.storeId })).toBe("new");
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThan(700);
  });

  it("reads many keys, and a page of a scan, as of one moment", async () => {
    const cluster = await SimCluster.start({ seed: 10 });
    await cluster.waitForLeader();
    let stopped = false;
    const rows = (n: number) => ["a", "b", "c"].map((key) => ({ key: bytes(key), value: bytes(`${n}`) }));
    const writer = (async () => {
      for (let n = 0; !stopped; n++) {
        await cluster.newClient().call(kvCommand({ case: "batchPut", value: { rows: rows(n) } }));
      }
    })();
    await cluster.run(50);
    for (let n = 0; n < 30; n++) {
      const batch = await cluster.call(
        kvCommand({ case: "batchGet", value: { keys: ["a", "b", "c"].map(bytes) } }),
      );
      const values =
        batch.kind === "ok" && batch.result.case === "batchGet"
          ? batch.result.value.rows.map((row) => text(row.value))
          : [];
      expect(values).toHaveLength(3);
      expect(new Set(values).size).toBe(1);
      const page = await cluster.scan("a", "d");
      expect(new Set(page.map((row) => row.split("=")[1])).size).toBe(1);
    }
    stopped = true;
    await cluster.complete(writer);
  });
});

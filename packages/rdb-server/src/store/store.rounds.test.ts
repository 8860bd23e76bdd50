import { assert, peerOnStore } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, expectConverged, putCommand } from "../testing/index.ts";

/** Of one message; an entry takes twice as long to be committed. */
const MESSAGE_MS = 4;
const ENTRY_MS = 2 * MESSAGE_MS;
/** Entries until the mean of what they took is what they take. */
const ENTRIES_COUNT = 20;

/** A cluster of two Regions, "" and "m", that one Store leads; both are busy. */
async function startedCluster(seed: number): Promise<{ cluster: SimCluster; leader: SimStore }> {
  const config = { raft: { busyEntryMinCount: 1 } };
  const cluster = await SimCluster.start({ seed, splitKeys: ["m"], config });
  const [first, second] = cluster.regions;
  assert(first !== undefined && second !== undefined, "the key space is cut once");
  const leader = await cluster.waitForLeader(undefined, first.id);
  const elsewhere = await cluster.waitForLeader(undefined, second.id);
  const peer = peerOnStore(second, leader.storeId);
  if (elsewhere !== leader && peer !== undefined) {
    // Whoever is to lead must have most of the log.
    await cluster.run(cluster.config.tickMs);
    expect(elsewhere.store.transferLeader(second.id, second.epoch, peer.id)).toEqual({ ok: true });
    await cluster.waitForLeader((store) => store === leader, second.id);
  }
  cluster.network.setAll({ minDelayMs: MESSAGE_MS, maxDelayMs: MESSAGE_MS });
  for (let count = 0; count < ENTRIES_COUNT; count++) {
    await cluster.put("a", `${count}`);
    await cluster.put("z", `${count}`);
  }
  // Who is idle at a tick is forgotten until its next entry: the test begins right behind one.
  await nextTick(cluster, leader);
  await Promise.all([cluster.put("a", "0"), cluster.put("z", "0")]);
  return { cluster, leader };
}

/** Lets time pass until the Store ticks: that is when heartbeats go out. */
async function nextTick(cluster: SimCluster, { storeId }: SimStore): Promise<void> {
  const { onSend } = cluster.network;
  let ticked = false;
  cluster.network.onSend = (message) => {
    onSend(message);
    const { payload } = message;
    ticked ||=
      message.fromPeer.storeId === storeId &&
      payload.kind === "raft" &&
      payload.message.type === "MsgHeartbeat";
  };
  await cluster.until("the Store ticks", () => ticked);
  cluster.network.onSend = onSend;
}

describe("busy Regions that one Store leads", () => {
  it("wait for one another for as long as an entry takes", async () => {
    const { cluster, leader } = await startedCluster(1);
    const second = cluster.regions[1]?.id;
    const firstBefore = cluster.statusOf(leader).lastIndex;
    const before = cluster.statusOf(leader, second).lastIndex;
    const put = (key: string): Promise<unknown> =>
      cluster.newClient().call(putCommand(key, "1"), { only: leader.storeId });
    const sent = ["b", "c", "d", "e"].map(put);
    const isProposed = (): boolean => cluster.statusOf(leader).lastIndex === firstBefore + 1;
    await cluster.until("an entry holds what came together", isProposed);
    sent.push(put("y"));
    await cluster.run(ENTRY_MS - 1);
    expect(cluster.statusOf(leader, second).lastIndex).toBe(before);
    await cluster.run(2);
    expect(cluster.statusOf(leader, second).lastIndex).toBe(before + 1);
    await cluster.complete(Promise.all(sent));
    await expectConverged(cluster);
  });

  it("do not wait for one that has nothing to write", async () => {
    const { cluster, leader } = await startedCluster(2);
    const second = cluster.regions[1]?.id;
    const before = cluster.statusOf(leader, second).lastIndex;
    const sent = cluster.newClient().call(putCommand("y", "1"), { only: leader.storeId });
    await cluster.run(1);
    expect(cluster.statusOf(leader, second).lastIndex).toBe(before + 1);
    await cluster.complete(sent);
    await expectConverged(cluster);
  });
});

import { type Region, assert, peerOnStore } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, expectConverged, putCommand } from "../testing/index.ts";

/** Of one message; an entry takes twice as long to be committed. */
const MESSAGE_MS = 4;
const ENTRY_MS = 2 * MESSAGE_MS;
/** Entries until the mean of what they took is what they take. */
const ENTRIES_COUNT = 20;

/** Regions that begin at "", "m" and "t". One Store leads the first two, another one the third. */
interface Rounds {
  readonly cluster: SimCluster;
  readonly leader: SimStore;
  readonly other: SimStore;
  /** Where the log of a Region ends at its leader. */
  lastIndex(place: 0 | 1 | 2): number;
  /** Sends a write that nobody waits for yet. */
  send(store: SimStore, key: string): void;
  /** Lets time pass until all of them are answered. */
  answers(): Promise<unknown>;
}

async function startedRounds(seed: number): Promise<Rounds> {
  const config = { raft: { roundMinCount: 1 } };
  const cluster = await SimCluster.start({ seed, splitKeys: ["m", "t"], config });
  const [first, second, third] = cluster.regions;
  assert(first !== undefined && second !== undefined && third !== undefined, "the key space is cut twice");
  const leader = await cluster.waitForLeader(undefined, first.id);
  const other = cluster.others(leader.storeId)[0] as SimStore;
  await lead(cluster, second, leader);
  await lead(cluster, third, other);
  cluster.network.setAll({ minDelayMs: MESSAGE_MS, maxDelayMs: MESSAGE_MS });
  for (let count = 0; count < ENTRIES_COUNT; count++) {
    await Promise.all(["a", "n", "u"].map((key) => cluster.put(key, `${count}`)));
  }
  // What was outstanding until now counts no more.
  await cluster.run(3 * cluster.config.tickMs);
  const sent: Promise<unknown>[] = [];
  return {
    ...{ cluster, leader, other },
    lastIndex(place) {
      const store = place === 2 ? other : leader;
      return cluster.statusOf(store, cluster.regions[place]?.id).lastIndex;
    },
    send(store, key) {
      sent.push(cluster.newClient().call(putCommand(key, "1"), { only: store.storeId }));
    },
    answers: () => cluster.complete(Promise.all(sent)),
  };
}

/** Brings the leadership of the Region there. */
async function lead(cluster: SimCluster, region: Region, to: SimStore): Promise<void> {
  const from = await cluster.waitForLeader(undefined, region.id);
  if (from !== to) {
    // Whoever is to lead must have most of the log.
    await cluster.run(cluster.config.tickMs);
    const peer = peerOnStore(region, to.storeId);
    assert(peer !== undefined, "every Store has a peer of every Region");
    expect(from.store.transferLeader(region.id, region.epoch, peer.id)).toEqual({ ok: true });
    await cluster.waitForLeader((store) => store === to, region.id);
  }
}

describe("Regions that one Store leads", () => {
  it("wait for one another for as long as an entry takes", async () => {
    const { cluster, leader, lastIndex, send, answers } = await startedRounds(1);
    const [first, second] = [lastIndex(0), lastIndex(1)];
    for (const key of ["b", "c", "d", "e"]) {
      send(leader, key);
    }
    await cluster.until("an entry holds what came together", () => lastIndex(0) === first + 1);
    send(leader, "n");
    await cluster.run(ENTRY_MS - 1);
    expect(lastIndex(1)).toBe(second);
    await cluster.run(2);
    expect(lastIndex(1)).toBe(second + 1);
    await answers();
    await expectConverged(cluster);
  });

  it("do not wait for one that has nothing to write", async () => {
    const { cluster, leader, lastIndex, send, answers } = await startedRounds(2);
    const second = lastIndex(1);
    send(leader, "n");
    await cluster.run(1);
    expect(lastIndex(1)).toBe(second + 1);
    await answers();
    await expectConverged(cluster);
  });

  it("begin with less when another Store does", async () => {
    const { cluster, leader, other, lastIndex, send, answers } = await startedRounds(3);
    const [first, second] = [lastIndex(0), lastIndex(1)];
    for (const key of ["b", "c", "d"]) {
      send(leader, key);
    }
    await cluster.until("an entry holds what came together", () => lastIndex(0) === first + 1);
    for (const key of ["n", "o"]) {
      send(leader, key);
    }
    send(other, "u");
    await cluster.run(MESSAGE_MS - 1);
    expect(lastIndex(1)).toBe(second);
    await cluster.run(2);
    expect(lastIndex(1)).toBe(second + 1);
    await answers();
    await expectConverged(cluster);
  });
});

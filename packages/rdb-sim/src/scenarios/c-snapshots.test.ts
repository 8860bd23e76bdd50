import { describe, expect, it } from "vitest";
import { expectInvariants, valueOnDisk } from "./invariants.ts";
import { Scenario, type StoreMember } from "./scenario.ts";

const SHORT_LOGS = { hibernateAfterMs: 0, logGcMaxEntries: 10, logGcCheckIntervalMs: 100 };

/** How often a snapshot was applied so far. */
function appliedCount(scenario: Scenario): number {
  return scenario.watch.countOf("the snapshot is applied");
}

/** A Store that is down, and so far behind that the log no longer serves it. */
async function laggingStore(
  scenario: Scenario,
): Promise<{ readonly leader: StoreMember; readonly away: StoreMember; readonly restart: () => void }> {
  const leader = await scenario.waitForLeader();
  const away = scenario.others(leader)[0] as StoreMember;
  await scenario.put("gone", "soon");
  await scenario.until("it has that", () => valueOnDisk(away, "gone") === "soon");
  const last = scenario.statusOf(away).lastIndex;
  const restart = scenario.takeDown([away], "kill");
  for (let count = 0; count < 20; count++) {
    await scenario.put(`k${count}`, `${count}`);
  }
  await scenario.complete(scenario.client().delete("gone"));
  await scenario.until("the log is cut", () => scenario.statusOf(leader).firstIndex > last + 1);
  return { leader, away, restart };
}

describe("block C: snapshots", () => {
  it("SCENARIO-33 one-snapshot: a Store cut off past the log's limit gets the data and loses the deleted key", async () => {
    const scenario = await Scenario.start({ seed: 3300, limits: SHORT_LOGS });
    const leader = await scenario.waitForLeader();
    const away = scenario.others(leader)[0] as StoreMember;
    await scenario.put("gone", "soon");
    await scenario.until("all have it", () =>
      scenario.stores.every((store) => valueOnDisk(store, "gone") === "soon"),
    );
    const last = scenario.statusOf(away).lastIndex;
    const heal = scenario.split(away);
    for (let count = 0; count < 15; count++) {
      await scenario.put(`k${count}`, `${count}`);
    }
    await scenario.complete(scenario.client().delete("gone"));
    // So long that the connections are given up, with the appends in them.
    await scenario.run(5_000);
    expect(scenario.statusOf(leader).firstIndex).toBeGreaterThan(last + 1);
    heal();
    await scenario.until("it has the snapshot", () => appliedCount(scenario) === 1);
    expect(valueOnDisk(away, "k14")).toBe("14");
    expect(valueOnDisk(away, "gone")).toBeUndefined();

    scenario.takeDown([away], "power-off")();
    await scenario.untilServing();
    expect(valueOnDisk(away, "k14")).toBe("14");
    await scenario.put("k15", "15");
    await expectInvariants(scenario);
  });

  it.each([1, 5, 20])(
    "SCENARIO-34 snapshot x unreliable x restart x partition: %i clients, log limit 100",
    async (clientCount) => {
      const scenario = await Scenario.start({
        seed: 3400 + clientCount,
        storeCount: 5,
        clientCount,
        limits: { logGcMaxEntries: 100, logGcCheckIntervalMs: 100, entryMaxBytes: 64 },
      });
      scenario.startLoops(undefined, 25 * Math.ceil(Math.sqrt(clientCount)));
      for (let round = 0; round < 2; round++) {
        const away = scenario.stores[scenario.random.nextInt(5)] as StoreMember;
        scenario.fault({ kind: "loss", packetRate: 0.02, messageRate: 0.1 });
        const restart = scenario.takeDown([away], "power-off");
        scenario.splitStores(scenario.others(away)[scenario.random.nextInt(4)] as StoreMember);
        const before = scenario.okCount;
        await scenario.until("the logs are long", () => scenario.okCount > before + 500);
        restart();
        await scenario.run(1_000);
        scenario.heal();
        const restartAll = scenario.takeDown(scenario.stores, "kill");
        await scenario.run(200);
        restartAll();
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(appliedCount(scenario)).toBeGreaterThan(0);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it("SCENARIO-37 snapshot/append race: appends go on while MsgSnap is late, and the newest wins", async () => {
    const scenario = await Scenario.start({ seed: 3700, limits: SHORT_LOGS });
    const { away, restart } = await laggingStore(scenario);
    const snapshot = scenario.holdSnapshots(away);
    restart();
    await scenario.until("a snapshot is under way", () => snapshot.heldCount() > 0);
    for (let count = 0; count < 5; count++) {
      await scenario.put("k0", `later ${count}`);
    }
    snapshot.release();
    for (let count = 5; count < 10; count++) {
      await scenario.put("k0", `later ${count}`);
    }
    await scenario.until("it has the newest", () => valueOnDisk(away, "k0") === "later 9");
    await expectInvariants(scenario);
  });

  it("SCENARIO-37 two snapshots quickly: the second is sent while the first is late, and both arrive", async () => {
    const scenario = await Scenario.start({ seed: 3701, limits: SHORT_LOGS });
    const { leader, away, restart } = await laggingStore(scenario);
    const snapshot = scenario.holdSnapshots(away);
    restart();
    await scenario.until("a snapshot is under way", () => snapshot.heldCount() > 0);
    const first = snapshot.heldCount();
    for (let count = 0; count < 30; count++) {
      await scenario.put("k0", `newer ${count}`);
    }
    // The leader believes that the first one failed.
    const { peerId: toPeerId, region } = scenario.statusOf(away);
    leader.process.call(({ store }) => store.snapshotStatus({ regionId: region.id, toPeerId, ok: false }));
    await scenario.until("a second one is under way", () => snapshot.heldCount() > first);
    snapshot.release();
    await scenario.until("it has the newest", () => valueOnDisk(away, "k0") === "newer 29");
    await expectInvariants(scenario);
    expect(valueOnDisk(away, "gone")).toBeUndefined();
  });

  it("SCENARIO-39 snapshot concurrency: ten Regions to one Store at once, few at a time, and the others go on", async () => {
    const splitKeys = Array.from({ length: 9 }, (_, place) => `r${place + 1}`);
    const scenario = await Scenario.start({
      seed: 3900,
      splitKeys,
      limits: { ...SHORT_LOGS, snapshotChunkMaxBytes: 16_384 },
    });
    const away = scenario.stores[2] as StoreMember;
    await scenario.run(300);
    const restart = scenario.takeDown([away], "kill");
    for (let region = 0; region < 10; region++) {
      await scenario.waitForLeader(() => true, region);
      for (let count = 0; count < 25; count++) {
        await scenario.put(`r${region} ${count}`, `${count}`.padEnd(8_000, "."));
      }
    }
    await scenario.run(1_000);
    const quietMs = await slowestPut(scenario, () => scenario.nowMs >= 0, 100);
    // 200 kB a Region: all of them take two seconds.
    scenario.peerLinks(away, { bytesPerSecond: 1_000_000 });
    const flow = watchSnapshots(scenario, away);
    restart();
    const busyMs = await slowestPut(scenario, () => appliedCount(scenario) >= 10, 2_000);
    expect(appliedCount(scenario)).toBeGreaterThanOrEqual(10);
    // Each Store sends four at once, and each receives four.
    expect(flow.mostAtOnce()).toBe(4);
    expect(busyMs).toBeLessThan(5 * quietMs);
    await expectInvariants(scenario);
  });
});

/** Puts to all Regions, one after the other, until it is over and at least `putCount` of them. @returns the slowest, in ms */
async function slowestPut(scenario: Scenario, isOver: () => boolean, putCount: number): Promise<number> {
  let slowestMs = 0;
  for (let count = 0; count < putCount && !(isOver() && count >= 100); count++) {
    const startMs = scenario.nowMs;
    await scenario.put(`r${count % 10} 0`, `${count}`);
    slowestMs = Math.max(slowestMs, scenario.nowMs - startMs);
  }
  return slowestMs;
}

/** Counts the snapshots that are under way to a Store, from each sender: begun by it, and not answered yet. */
function watchSnapshots(scenario: Scenario, to: StoreMember): { readonly mostAtOnce: () => number } {
  const open = new Map<string, Set<string>>();
  let most = 0;
  scenario.cluster.net.observe = (event) => {
    if (event.path !== "/rdb.v1.RaftService/Snapshot" || event.kind !== "send") {
      return;
    }
    const sender = event.to === to.name ? event.from : event.to;
    const streams = open.get(sender) ?? new Set();
    open.set(sender, streams);
    const stream = `${event.connectionId}.${event.streamId}`;
    if (event.to === to.name) {
      streams.add(stream);
      most = Math.max(most, streams.size);
    } else {
      streams.delete(stream);
    }
  };
  return { mostAtOnce: () => most };
}

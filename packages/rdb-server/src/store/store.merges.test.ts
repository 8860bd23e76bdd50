import { type Region, type RegionId, regionId } from "@flaredb/rdb-base";
import { WritePart, getMergeRecord, getRegionLocalState, getTakenRegions } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  SimCluster,
  type SimStore,
  addVoter,
  bytes,
  contentOf,
  expectConverged,
  kvCommand,
  kvRequest,
  makeChange,
  peerOn,
  putCommand,
  remove,
  text,
} from "../testing/index.ts";
import type { AdminOutcome } from "./admin-command.ts";

const LEFT = regionId(1);
const RIGHT = regionId(2);

interface Merge {
  readonly source: RegionId;
  readonly target: RegionId;
}

/** As PD: asks the source's leader, for the Regions as that leader's Store knows them. */
async function merge(cluster: SimCluster, { source, target }: Merge): Promise<AdminOutcome> {
  const leader = await cluster.waitForLeader(() => true, source);
  const { region } = cluster.statusOf(leader, source);
  const other = cluster.statusOf(leader, target).region;
  return cluster.complete(leader.store.mergeRegion({ regionId: source, epoch: region.epoch, target: other }));
}

/** Asks until the merge is taken: followers may be a round behind. */
async function mergeTaken(cluster: SimCluster, which: Merge): Promise<void> {
  let outcome: AdminOutcome = { ok: true };
  for (let attempt = 0; attempt < 100; attempt++) {
    outcome = await merge(cluster, which);
    if (outcome.ok) {
      return;
    }
    await cluster.run(20);
  }
  throw new Error(`the merge is not taken: ${JSON.stringify(outcome)}`);
}

function rangesOf(store: SimStore): string[] {
  return store.store
    .regionStatuses()
    .map(({ region }) => describeRegion(region))
    .toSorted();
}

function describeRegion({ id, startKey, endKey, epoch }: Region): string {
  return `${id}:${text(startKey)}-${text(endKey)}@${epoch.version}`;
}

async function untilRanges(
  cluster: SimCluster,
  ranges: readonly string[],
  stores = cluster.stores,
): Promise<void> {
  await cluster.until(`the Stores have ${ranges.join(" ")}`, () =>
    stores.every((store) => rangesOf(store).join() === ranges.toSorted().join()),
  );
}

/** What no program wrote: a row on the disk of one Store. */
function setRow(store: SimStore, key: string, value: Uint8Array): void {
  const part = new WritePart();
  part.put("data", bytes(key), value);
  store.engine.submit(part);
}

/** Two Regions, cut at `m`, with a few rows in each. */
async function twoRegions(seed: number, config: Record<string, unknown> = {}): Promise<SimCluster> {
  const cluster = await SimCluster.start({ seed, splitKeys: ["m"], config });
  for (const key of ["a", "b", "n", "z"]) {
    await cluster.put(key, `${key}1`);
  }
  return cluster;
}

async function expectRows(cluster: SimCluster): Promise<void> {
  for (const key of ["a", "b", "n", "z"]) {
    expect(await cluster.get(key)).toBe(`${key}1`);
  }
}

describe("a merge", () => {
  it("SCENARIO-55: one Region is left, with the rows of both, whichever takes the other", async () => {
    for (const [source, target, left] of [
      [RIGHT, LEFT, "1:-@3"],
      [LEFT, RIGHT, "2:-@3"],
    ] as const) {
      const cluster = await twoRegions(1);
      await mergeTaken(cluster, { source, target });
      await untilRanges(cluster, [left]);
      await expectRows(cluster);
      expect(await cluster.scan()).toEqual(["a=a1", "b=b1", "n=n1", "z=z1"]);
      await cluster.put("a", "2");
      await cluster.put("z", "2");
      for (const store of cluster.stores) {
        expect(getRegionLocalState(store.engine, source)?.state).toBe("Tombstone");
      }
      await expectConverged(cluster);
    }
  });

  it("SPEC-S5: versions go on above both Regions'", async () => {
    const cluster = await twoRegions(2);
    for (let count = 0; count < 9; count++) {
      await cluster.put("z", `${count}`);
    }
    const highest = await cluster.put("z", "last");
    expect(await cluster.put("a", "before")).toBeLessThan(highest);
    await mergeTaken(cluster, { source: RIGHT, target: LEFT });
    await untilRanges(cluster, ["1:-@3"]);
    expect(await cluster.put("a", "after")).toBe(highest + 1);
  });

  it("SPEC-R4: writes go through it, each once, and none fails", async () => {
    for (let seed = 10; seed < 14; seed++) {
      const cluster = await twoRegions(seed);
      const clients = ["a", "b", "n", "z"].map((key) => ({ key, client: cluster.newPersistentClient() }));
      let isOver = false;
      const running = clients.map(async ({ key, client }) => {
        let count = 0;
        while (!isOver) {
          const outcome = await client.call(putCommand(key, `${key}${++count}`), {});
          expect(outcome.kind).toBe("ok");
        }
        return count;
      });
      await cluster.run(20);
      await mergeTaken(cluster, {
        source: seed % 2 === 0 ? LEFT : RIGHT,
        target: seed % 2 === 0 ? RIGHT : LEFT,
      });
      await cluster.until("one Region is left", () => cluster.regions.length === 1);
      await cluster.run(100);
      isOver = true;
      const counts = await cluster.complete(Promise.all(running));
      for (const [place, { key }] of clients.entries()) {
        expect(await cluster.get(key)).toBe(`${key}${counts[place]}`);
      }
      // Each write is a revision of its Region, and no write is two.
      await expectConverged(cluster);
    }
  });

  it("refuses what is no neighbour, another epoch, and a second merge while one is under way", async () => {
    const cluster = await SimCluster.start({ seed: 3, splitKeys: ["g", "p"] });
    await cluster.put("a", "1");
    await cluster.put("z", "1");
    expect(await merge(cluster, { source: regionId(1), target: regionId(3) })).toMatchObject({
      ok: false,
      reason: "Invalid",
    });
    const leader = await cluster.waitForLeader(() => true, LEFT);
    const { region } = cluster.statusOf(leader, LEFT);
    const target = cluster.statusOf(leader, RIGHT).region;
    const old = { ...region.epoch, version: region.epoch.version + 1 };
    const ask = (command: Parameters<typeof leader.store.mergeRegion>[0]): Promise<AdminOutcome> =>
      cluster.complete(leader.store.mergeRegion(command));
    expect(await ask({ regionId: LEFT, epoch: old, target })).toMatchObject({ reason: "EpochNotMatch" });
    const newer = { ...target, epoch: { ...target.epoch, confVer: 9 } };
    expect(await ask({ regionId: LEFT, epoch: region.epoch, target: newer })).toMatchObject({
      reason: "EpochNotMatch",
    });
    expect(await ask({ regionId: LEFT, epoch: region.epoch, target: region })).toMatchObject({
      reason: "Invalid",
    });
    await mergeTaken(cluster, { source: LEFT, target: RIGHT });
    expect(await ask({ regionId: LEFT, epoch: region.epoch, target })).toMatchObject({ reason: "Busy" });
    const follower = cluster.others(leader.storeId)[0] as SimStore;
    const command = { regionId: LEFT, epoch: region.epoch, target };
    expect(await cluster.complete(follower.store.mergeRegion(command))).toMatchObject({
      reason: "NotLeader",
    });
  });

  it("refuses while a peer of the source is down or far behind", async () => {
    const cluster = await twoRegions(4, { hibernateAfterMs: 0 });
    const leader = await cluster.waitForLeader(() => true, RIGHT);
    const away = cluster.others(leader.storeId)[0] as SimStore;
    cluster.isolate(away);
    await cluster.run(3_000);
    expect(await merge(cluster, { source: RIGHT, target: LEFT })).toMatchObject({
      ok: false,
      reason: "PeerBehind",
    });
  });

  it("tells a client of the source which Region has its keys now", async () => {
    const cluster = await twoRegions(5);
    const { region } = cluster.statusOf(await cluster.waitForLeader(() => true, RIGHT), RIGHT);
    await mergeTaken(cluster, { source: RIGHT, target: LEFT });
    await untilRanges(cluster, ["1:-@3"]);
    const store = cluster.stores[0] as SimStore;
    const answer = await cluster.complete(
      new Promise<unknown>((resolve) => {
        const epoch = {
          $typeName: "rdb.v1.RegionEpoch" as const,
          confVer: BigInt(region.epoch.confVer),
          version: BigInt(region.epoch.version),
        };
        const header = {
          $typeName: "rdb.v1.RegionHeader" as const,
          regionId: BigInt(RIGHT),
          epoch,
          storeId: 0n,
        };
        const command = kvCommand({ case: "get", value: { key: bytes("z") } });
        const request = kvRequest({ requestId: 1, command });
        store.call((running) => running.handle(header, [request], resolve));
      }),
    );
    expect(answer).toMatchObject({
      result: { value: { reason: { case: "epochNotMatch", value: { currentRegions: [{ id: 1n }] } } } },
    });
  });
});

/** Crashes and partitions at each moment of a merge: 1 ms apart, from its beginning to some time after it. */
const MOMENTS_MS = Array.from({ length: 60 }, (_, place) => place);

describe("a merge that is disturbed", () => {
  it("SPEC-S2: SCENARIO-55: goes on after all Stores crash at any moment, and loses nothing", async () => {
    for (const moment of MOMENTS_MS) {
      const cluster = await twoRegions(100 + moment);
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      await cluster.run(moment);
      for (const store of cluster.stores) {
        store.crash();
      }
      await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
      await cluster.until("no merge is under way", () => isQuiet(cluster));
      await expectRows(cluster);
      await cluster.put("z", "2");
      await expectConverged(cluster);
    }
  });

  it("SPEC-S2: SCENARIO-55: is applied again by a start that knows of its commit, once both peers are there", async () => {
    for (const moment of MOMENTS_MS.filter((one) => one % 3 === 0)) {
      const cluster = await twoRegions(1_000 + moment, {
        tickMs: 10,
        heartbeatTicks: 2,
        electionTicks: 20,
        leaseMs: 150,
      });
      // Each write's append takes along how far the one before is committed.
      const clients = Array.from({ length: 3 }, () => cluster.newPersistentClient());
      let isOver = false;
      const writing = clients.map(async (client) => {
        while (!isOver) {
          await client.call(putCommand("a", "a1"), {});
        }
      });
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      await cluster.run(moment / 3);
      for (const store of cluster.stores) {
        store.crash();
      }
      await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
      await cluster.until("no merge is under way", () => isQuiet(cluster));
      isOver = true;
      await cluster.complete(Promise.all(writing));
      expect(cluster.trace.has("the peer stops")).toBe(false);
      await expectRows(cluster);
      await expectConverged(cluster);
    }
  });

  it("SCENARIO-55: goes on after any Store crashes at any moment and comes back", async () => {
    for (const moment of MOMENTS_MS) {
      const cluster = await twoRegions(200 + moment);
      await mergeTaken(cluster, { source: LEFT, target: RIGHT });
      await cluster.run(moment);
      const victim = cluster.stores[moment % 3] as SimStore;
      victim.crash();
      await cluster.until("one Region is left", () => cluster.regions.length === 1);
      await cluster.put("a", "2");
      await cluster.complete(victim.start());
      await untilRanges(cluster, ["2:-@3"]);
      await expectConverged(cluster);
    }
  });

  it("SCENARIO-55: a Store that was cut off meanwhile catches up by the log", async () => {
    for (const moment of MOMENTS_MS.filter((one) => one % 4 === 0)) {
      const cluster = await twoRegions(300 + moment);
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      await cluster.run(moment);
      const away = notLeading(cluster, moment);
      cluster.isolate(away);
      await untilRanges(cluster, ["1:-@3"], cluster.others(away.storeId));
      await write(cluster, "z", "2");
      cluster.network.heal();
      await untilRanges(cluster, ["1:-@3"]);
      await expectConverged(cluster);
    }
  });

  it("SCENARIO-55: a peer of the source that lacks its last entries gets them with the merge", async () => {
    for (let seed = 900; seed < 910; seed++) {
      const cluster = await twoRegions(seed);
      const leader = await cluster.waitForLeader(() => true, RIGHT);
      const target = await cluster.waitForLeader(() => true, LEFT);
      const away = cluster.others(leader.storeId, target.storeId)[0] as SimStore;
      await expectConverged(cluster);
      cluster.network.intercept = ({ regionId: id, toPeer, payload }) =>
        id === RIGHT &&
        toPeer.storeId === away.storeId &&
        payload.kind === "raft" &&
        payload.message.type === "MsgApp"
          ? "drop"
          : "deliver";
      await write(cluster, "n", "late");
      await write(cluster, "z", "late");
      expect(await merge(cluster, { source: RIGHT, target: LEFT })).toEqual({ ok: true });
      expect(cluster.statusOf(away, RIGHT).lastIndex).toBeLessThan(
        cluster.statusOf(leader, RIGHT).lastIndex - 1,
      );
      await untilRanges(cluster, ["1:-@3"]);
      cluster.network.heal();
      expect(await cluster.scan("n")).toEqual(["n=late", "z=late"]);
      await expectConverged(cluster);
    }
  });

  it("SCENARIO-55: a Store that was cut off meanwhile catches up by a snapshot, and its source's peer goes", async () => {
    let endedCount = 0;
    for (const moment of [0, 5, 20, 60]) {
      const cluster = await twoRegions(400 + moment, SHORT_LOGS);
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      await cluster.run(moment);
      const away = notLeading(cluster, moment);
      cluster.isolate(away);
      await untilRanges(cluster, ["1:-@3"], cluster.others(away.storeId));
      await moveOn(cluster, LEFT, away);
      cluster.network.heal();
      await untilRanges(cluster, ["1:-@3"]);
      await cluster.until("the source's peer is gone", () => isTombstone(away, RIGHT));
      expect(getTakenRegions(away.engine, LEFT)).toEqual([RIGHT]);
      endedCount += cluster.trace.has("a snapshot shows that the Region was merged") ? 1 : 0;
      await expectConverged(cluster);
    }
    expect(endedCount).toBeGreaterThan(0);
  });

  it("SCENARIO-55: a source's peer that has halted goes with the snapshot as well, and tells nobody later", async () => {
    const cluster = await twoRegions(450, SHORT_LOGS);
    const away = notLeading(cluster, 0);
    const sound = away.engine.get("data", bytes("n")) as Uint8Array;
    setRow(away, "n", Uint8Array.of(9));
    await cluster.cas("n", "n1", "n2");
    await mergeTaken(cluster, { source: RIGHT, target: LEFT });
    await cluster.until("it halts", () => away.store.regionStatus(RIGHT) === undefined);
    cluster.isolate(away);
    setRow(away, "n", sound);
    expect(rangesOf(away)).toEqual(["1:-m@1"]);
    await untilRanges(cluster, ["1:-@3"], cluster.others(away.storeId));
    await moveOn(cluster, LEFT, away);
    cluster.network.heal();
    await untilRanges(cluster, ["1:-@3"]);
    expect(cluster.trace.has("a snapshot shows that the Region was merged")).toBe(true);
    await cluster.until("the source's peer is gone", () => isTombstone(away, RIGHT));
    await expectConverged(cluster);
    away.crash();
    await cluster.complete(away.start());
    await cluster.run(5_000);
    await expectConverged(cluster);
  });

  it("a source's peer that has halted stops the target's beside it, and goes once that is removed", async () => {
    const cluster = await twoRegions(451);
    const leaders = [
      await cluster.waitForLeader(undefined, LEFT),
      await cluster.waitForLeader(undefined, RIGHT),
    ];
    const away = cluster.stores.find((store) => !leaders.includes(store)) as SimStore;
    const sound = away.engine.get("data", bytes("n")) as Uint8Array;
    setRow(away, "n", Uint8Array.of(9));
    await cluster.cas("n", "n1", "n2");
    await mergeTaken(cluster, { source: RIGHT, target: LEFT });
    await cluster.until("both halt", () => away.store.regionStatuses().length === 0);
    setRow(away, "n", sound);
    await untilRanges(cluster, ["1:-@3"], cluster.others(away.storeId));
    await makeChange(cluster, remove(peerOn(away.storeId)));
    await cluster.until("the target's peer is gone", () => isTombstone(away, LEFT));
    for (let second = 0; second < 61 && !isTombstone(away, RIGHT); second++) {
      await cluster.run(1_000);
    }
    expect(isTombstone(away, RIGHT)).toBe(true);
    expect(await cluster.complete(contentOf(away))).toEqual([]);
    // There is room for another one.
    await addVoter(cluster, peerOn(away.storeId, 900));
    await expectConverged(cluster);
  });

  it("SCENARIO-55: brain split: a Store that comes back after the Region was split again has what the others have", async () => {
    for (const [key, ranges] of [
      ["m", ["1:-m@4", "1000001:m-@4"]],
      ["c", ["1:-c@4", "1000001:c-@4"]],
      ["t", ["1:-t@4", "1000001:t-@4"]],
    ] as const) {
      const cluster = await twoRegions(500 + key.charCodeAt(0), SHORT_LOGS);
      const leader = await cluster.waitForLeader(() => true, LEFT);
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      const away = cluster
        .others(leader.storeId)
        .find((store) => cluster.leader(RIGHT) !== store) as SimStore;
      cluster.isolate(away);
      const rest = cluster.others(away.storeId);
      await untilRanges(cluster, ["1:-@3"], rest);
      const at = cluster.leader(LEFT) as SimStore;
      const { region } = cluster.statusOf(at, LEFT);
      const command = { regionId: LEFT, epoch: region.epoch, keys: [bytes(key)], partCount: 2 };
      expect(await cluster.complete(at.store.splitRegion(command))).toEqual({ ok: true });
      await untilRanges(cluster, ranges, rest);
      await moveOn(cluster, LEFT, away);
      await moveOn(cluster, regionId(1_000_001), away);
      // The peers that were cut off campaign meanwhile.
      await cluster.run(5_000);
      cluster.network.heal();
      await untilRanges(cluster, ranges);
      await cluster.until("the source's peer is gone", () => isTombstone(away, RIGHT));
      await cluster.put("z", "after");
      await expectConverged(cluster);
    }
  });

  it("SCENARIO-55: cascade: a Region that took another is taken itself", async () => {
    const cluster = await SimCluster.start({ seed: 600, splitKeys: ["g", "p"] });
    for (const key of ["a", "h", "z"]) {
      await cluster.put(key, key);
    }
    await mergeTaken(cluster, { source: regionId(3), target: regionId(2) });
    await untilRanges(cluster, ["1:-g@1", "2:g-@3"]);
    await mergeTaken(cluster, { source: regionId(2), target: regionId(1) });
    await untilRanges(cluster, ["1:-@5"]);
    expect(await cluster.scan()).toEqual(["a=a", "h=h", "z=z"]);
    for (const store of cluster.stores) {
      expect(getTakenRegions(store.engine, LEFT)).toEqual([3, 2]);
      expect(getMergeRecord(store.engine, regionId(3))).toMatchObject({ kind: "Merged", into: { id: 2 } });
    }
    await expectConverged(cluster);
  });

  it("SCENARIO-55: cascade: a Store that was cut off from all of it ends its peers of both sources", async () => {
    const cluster = await SimCluster.start({ seed: 601, splitKeys: ["g", "p"], config: SHORT_LOGS });
    await cluster.put("z", "1");
    await mergeTaken(cluster, { source: regionId(3), target: regionId(2) });
    const away = cluster.others((await cluster.waitForLeader(() => true, RIGHT)).storeId)[0] as SimStore;
    cluster.isolate(away);
    const rest = cluster.others(away.storeId);
    await untilRanges(cluster, ["1:-g@1", "2:g-@3"], rest);
    // Every peer of a source has to live when a merge begins: here both merges began before.
    expect(rangesOf(away)).not.toContain("2:g-@3");
    await moveOn(cluster, RIGHT, away);
    cluster.network.heal();
    await untilRanges(cluster, ["1:-g@1", "2:g-@3"]);
    await mergeTaken(cluster, { source: RIGHT, target: LEFT });
    await untilRanges(cluster, ["1:-@5"]);
    await expectConverged(cluster);
  });
});

describe("a merge whose target changes", () => {
  it("SCENARIO-55: is rolled back when the target was split, and the source serves again", async () => {
    let rolledBack = 0;
    for (let seed = 700; seed < 720; seed++) {
      const cluster = await twoRegions(seed);
      const target = await cluster.waitForLeader(() => true, LEFT);
      const { region } = cluster.statusOf(target, LEFT);
      const split = { regionId: LEFT, epoch: region.epoch, keys: [bytes("b")], partCount: 2 };
      // The split's ids come from PD, a moment later than the merge is taken.
      const settled = target.store.splitRegion(split);
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      await cluster.complete(settled);
      await cluster.until("no merge is under way", () => isQuiet(cluster) && cluster.regions.length >= 2);
      if (cluster.trace.has("a merge is rolled back")) {
        rolledBack++;
        await untilRanges(cluster, ["1000001:b-m@2", "1:-b@2", "2:m-@3"]);
      }
      await expectRows(cluster);
      await cluster.put("n", "2");
      await cluster.put("a", "2");
      await expectConverged(cluster);
    }
    expect(rolledBack).toBeGreaterThan(0);
  });

  it("SCENARIO-55: two neighbours that want to take each other both serve again, or one has the other", async () => {
    for (let seed = 720; seed < 740; seed++) {
      const cluster = await twoRegions(seed);
      const outcomes = [
        await merge(cluster, { source: RIGHT, target: LEFT }),
        await merge(cluster, { source: LEFT, target: RIGHT }),
      ];
      expect(outcomes.some(({ ok }) => ok)).toBe(true);
      await cluster.until("no merge is under way", () => isQuiet(cluster));
      await expectRows(cluster);
      await cluster.put("n", "2");
      await expectConverged(cluster);
    }
  });

  it("SCENARIO-55: cascade: is rolled back when the target is taken itself", async () => {
    let rolledBack = 0;
    for (let seed = 740; seed < 760; seed++) {
      const cluster = await SimCluster.start({ seed, splitKeys: ["g", "p"] });
      for (const key of ["a", "h", "z"]) {
        await cluster.put(key, key);
      }
      await mergeTaken(cluster, { source: regionId(2), target: regionId(3) });
      // It names the target as that was a moment ago.
      await cluster.run(seed % 2);
      await merge(cluster, { source: regionId(1), target: regionId(2) }).catch(() => undefined);
      await cluster.until("no merge is under way", () => isQuiet(cluster) && cluster.regions.length < 3);
      rolledBack += cluster.trace.has("a merge is rolled back") ? 1 : 0;
      for (const key of ["a", "h", "z"]) {
        expect(await cluster.get(key)).toBe(key);
        await cluster.put(key, "after");
      }
      await expectConverged(cluster);
    }
    expect(rolledBack).toBeGreaterThan(0);
  });

  it("goes on when the leaders of both Regions change at any moment", async () => {
    for (const moment of MOMENTS_MS.filter((one) => one % 3 === 0)) {
      const cluster = await twoRegions(800 + moment);
      await mergeTaken(cluster, { source: RIGHT, target: LEFT });
      await cluster.run(moment);
      for (const id of [LEFT, RIGHT]) {
        const leader = cluster.leader(id);
        if (leader !== undefined) {
          cluster.isolate(leader);
          await cluster.run(2_500);
          cluster.network.heal();
        }
      }
      await untilRanges(cluster, ["1:-@3"]);
      await expectRows(cluster);
      await expectConverged(cluster);
    }
  });
});

const SHORT_LOGS = { logGc: { maxEntries: 10, checkIntervalMs: 50 }, hibernateAfterMs: 0 };

/** Whether every Region that is told of serves, and the Stores agree on which there are. */
function isQuiet(cluster: SimCluster): boolean {
  const [first = "", ...others] = cluster.stores.map((store) => rangesOf(store).join());
  const isMerging = cluster.stores.some((store) =>
    store.store.regionStatuses().some((status) => status.isMerging),
  );
  return !isMerging && first !== "" && others.every((ranges) => ranges === first);
}

/** Writes, again and again if need be: a leader that was cut off takes writes without ever answering them. */
async function write(cluster: SimCluster, key: string, value: string): Promise<void> {
  const outcome = await cluster.complete(cluster.newPersistentClient().call(putCommand(key, value), {}));
  expect(outcome.kind).toBe("ok");
}

/** A Store without the source's leader: what that proposed just now would be lost with it. */
function notLeading(cluster: SimCluster, choice: number): SimStore {
  const others = cluster.stores.filter((store) => store !== cluster.leader(RIGHT));
  return others[choice % others.length] as SimStore;
}

function isTombstone(store: SimStore, id: RegionId): boolean {
  return getRegionLocalState(store.engine, id)?.state === "Tombstone";
}

/** Writes until the log is cut behind what the Store that is away has. */
async function moveOn(cluster: SimCluster, id: RegionId, away: SimStore): Promise<void> {
  const leader = await cluster.waitForLeader((store) => store !== away, id);
  const key = text(cluster.statusOf(leader, id).region.startKey) || "a";
  for (let count = 0; count < 15; count++) {
    await write(cluster, key, `moved ${count}`);
  }
  const last = away.store.regionStatus(id)?.commitIndex ?? 0;
  await cluster.until("the log is cut", () => cluster.statusOf(leader, id).firstIndex > last + 1);
  expect((await cluster.complete(contentOf(leader))).length).toBeGreaterThan(0);
}

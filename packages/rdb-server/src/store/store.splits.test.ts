import { type Region, type RegionId, rangesOverlap, regionId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import type { KvResponse } from "@flaredb/rdb-proto";
import {
  type SentIdentity,
  SimCluster,
  type SimStore,
  batchPutCommand,
  bytes,
  expectConverged,
  getCommand,
  kvRequest,
  putCommand,
  text,
} from "../testing/index.ts";
import type { AdminOutcome, SplitRegion } from "./admin-command.ts";

/** Where a test's cluster is cut, and how many parts are asked for when no key is named. */
interface Cut {
  readonly at?: readonly string[];
  readonly parts?: number;
  readonly of?: RegionId;
}

function command(region: Region, { at = [], parts = 2 }: Cut): SplitRegion {
  return { regionId: region.id, epoch: region.epoch, keys: at.map(bytes), partCount: parts };
}

/** As PD: asks the leader. */
async function split(cluster: SimCluster, cut: Cut): Promise<AdminOutcome> {
  const leader = await cluster.waitForLeader(() => true, cut.of);
  const { region } = cluster.statusOf(leader, cut.of);
  return cluster.complete(leader.store.splitRegion(command(region, cut)));
}

/** The ranges of a Store's Regions, by key. */
function rangesOf(store: SimStore): string[] {
  return store.store
    .regionStatuses()
    .map(({ region }) => `${text(region.startKey)}-${text(region.endKey)}@${region.epoch.version}`)
    .toSorted();
}

async function untilSplit(cluster: SimCluster, count: number, stores = cluster.stores): Promise<void> {
  await cluster.until("every Store has the Regions", () =>
    stores.every((store) => store.store.regionStatuses().length === count),
  );
}

function expectTiled(cluster: SimCluster): void {
  const { regions } = cluster;
  for (const [place, region] of regions.entries()) {
    expect(regions.slice(place + 1).some((other) => rangesOverlap(region, other))).toBe(false);
  }
  expect(regions[0]?.startKey).toHaveLength(0);
  expect(regions.at(-1)?.endKey).toHaveLength(0);
}

describe("a split", () => {
  it("SPEC-S1 SPEC-S5 SCENARIO-49: a manual split at a key makes two Regions that read and write", async () => {
    const cluster = await SimCluster.start({ seed: 1 });
    for (let count = 0; count < 100; count++) {
      await cluster.put(`key${String(count).padStart(2, "0")}`, "before");
    }
    expect(await split(cluster, { at: ["key50"] })).toEqual({ ok: true });
    await untilSplit(cluster, 2);
    for (const store of cluster.stores) {
      expect(rangesOf(store)).toEqual(["-key50@2", "key50-@2"]);
    }
    expect(await cluster.get("key49")).toBe("before");
    expect(await cluster.get("key50")).toBe("before");
    await cluster.put("key10", "after");
    await cluster.put("key90", "after");
    expect(await cluster.scan("key88", "key92")).toEqual([
      "key88=before",
      "key89=before",
      "key90=after",
      "key91=before",
    ]);
    expectTiled(cluster);
    await expectConverged(cluster);
  });

  it("SPEC-S5: versions go on where the old Region's were, in both", async () => {
    const cluster = await SimCluster.start({ seed: 2 });
    await cluster.put("a", "1");
    const before = await cluster.put("z", "1");
    await split(cluster, { at: ["m"] });
    await untilSplit(cluster, 2);
    expect(await cluster.put("a", "2")).toBe(before + 1);
    expect(await cluster.put("z", "2")).toBe(before + 1);
  });

  it("SPEC-S1: without keys it cuts into parts of about equal size, at keys that exist", async () => {
    const cluster = await SimCluster.start({ seed: 3 });
    const rows = Array.from({ length: 64 }, (_, count) => [`k${String(count).padStart(2, "0")}`, "v"]);
    await cluster.call(batchPutCommand(Object.fromEntries(rows)));
    expect(await split(cluster, { parts: 4 })).toEqual({ ok: true });
    await untilSplit(cluster, 4);
    expect(cluster.regions.map(({ startKey }) => text(startKey))).toEqual(["", "k16", "k32", "k48"]);
    expect(cluster.regions.map(({ epoch }) => epoch.version)).toEqual([4, 4, 4, 4]);
  });

  it("SCENARIO-54: the new Region serves within an election timeout", async () => {
    const cluster = await SimCluster.start({ seed: 4 });
    await cluster.put("a", "1");
    await split(cluster, { at: ["m"] });
    const beganMs = cluster.clock.monotonicMs();
    await cluster.put("z", "1");
    const { electionTicks, tickMs } = cluster.config;
    expect(cluster.clock.monotonicMs() - beganMs).toBeLessThan((electionTicks * tickMs) / 4);
    const [left, right] = cluster.regions.map(({ id }) => cluster.leader(id));
    expect(right).toBe(left);
  });

  it("SPEC-S2: a restart finds the Regions as they were", async () => {
    const cluster = await SimCluster.start({ seed: 5 });
    await cluster.put("a", "1");
    await split(cluster, { at: ["m"] });
    await cluster.put("z", "1");
    for (const store of cluster.stores) {
      store.crash();
    }
    await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
    await untilSplit(cluster, 2);
    expect(await cluster.get("a")).toBe("1");
    expect(await cluster.get("z")).toBe("1");
    await cluster.put("z", "2");
    await expectConverged(cluster);
  });

  it("refuses keys that are not inside or do not rise, another epoch, and a Region of one key", async () => {
    const cluster = await SimCluster.start({ seed: 6, splitKeys: ["m"] });
    const leader = await cluster.waitForLeader();
    await cluster.put("a", "1");
    const { region } = cluster.statusOf(leader);
    const ask = (wanted: SplitRegion): Promise<AdminOutcome> =>
      cluster.complete(leader.store.splitRegion(wanted));
    for (const at of [["m"], ["z"], [""], ["c", "b"], ["c", "c"]]) {
      expect(await ask(command(region, { at }))).toMatchObject({ ok: false, reason: "Invalid" });
    }
    expect(await ask(command(region, {}))).toMatchObject({ ok: false, reason: "Invalid" });
    const stale = { ...region, epoch: { ...region.epoch, confVer: 7 } };
    expect(await ask(command(stale, { at: ["c"] }))).toMatchObject({ reason: "EpochNotMatch" });
    const follower = cluster.others(leader.storeId)[0] as SimStore;
    const answer = follower.store.splitRegion(command(region, { at: ["c"] }));
    expect(await cluster.complete(answer)).toMatchObject({ reason: "NotLeader" });
    const nowhere = { ...region, id: regionId(77) };
    expect(await ask(command(nowhere, { at: ["c"] }))).toMatchObject({ reason: "NotLeader" });
  });

  it("is refused as busy while PD is away, or while another is being made", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    cluster.pdIsAway = true;
    expect(await split(cluster, { at: ["m"] })).toMatchObject({ ok: false, reason: "Busy" });
    cluster.pdIsAway = false;
    const leader = await cluster.waitForLeader();
    const { region } = cluster.statusOf(leader);
    const both = Promise.all(
      ["c", "m"].map((key) => leader.store.splitRegion(command(region, { at: [key] }))),
    );
    expect(await cluster.complete(both)).toMatchObject([{ ok: true }, { ok: false, reason: "Busy" }]);
    await untilSplit(cluster, 2);
    expect(await split(cluster, { at: ["c1"], of: cluster.regions[1]?.id as RegionId })).toEqual({
      ok: true,
    });
    await untilSplit(cluster, 3);
    await cluster.call(putCommand("d", "1"));
    await expectConverged(cluster);
  });

  it("SPEC-S5 SCENARIO-51: a client with the old map is told of both Regions, and needs one retry", async () => {
    const cluster = await SimCluster.start({ seed: 8 });
    const client = cluster.newClient();
    await cluster.complete(client.call(putCommand("z", "1")));
    await split(cluster, { at: ["f", "m", "t"] });
    await cluster.put("z", "2");
    const before = client.sentCount;
    expect(await cluster.complete(client.call(putCommand("z", "3")))).toMatchObject({ kind: "ok" });
    expect(client.sentCount - before).toBe(2);
    // It knows all of them now.
    for (const key of ["a", "g", "n", "z"]) {
      await cluster.put(key, "0");
      expect(await cluster.complete(client.call(putCommand(key, "1")))).toMatchObject({ kind: "ok" });
    }
    expect(client.sentCount - before).toBe(6);
  });
});

describe("a split that meets faults", () => {
  /** Proposes without waiting: what becomes of it is up to the faults. */
  function propose(cluster: SimCluster, leader: SimStore, key: string): void {
    const { region } = cluster.statusOf(leader);
    leader.call((store) => void store.splitRegion(command(region, { at: [key] })));
  }

  it.each(Array.from({ length: 24 }, (_, step) => step / 4))(
    "SPEC-S3: the leader dies %f ms after the command: split once or not at all, and then once",
    async (diesAfterMs) => {
      const cluster = await SimCluster.start({ seed: 21 });
      await cluster.put("a", "1");
      await cluster.put("z", "1");
      const leader = await cluster.waitForLeader();
      propose(cluster, leader, "m");
      await cluster.run(diesAfterMs);
      leader.crash();
      const next = await cluster.waitForLeader((store) => store !== leader);
      await cluster.put("a", "2");
      const { region } = cluster.statusOf(next);
      const again = cluster.complete(next.store.splitRegion(command(region, { at: ["f"] })));
      expect(await again).toEqual({ ok: true });
      await cluster.complete(leader.start());
      const wasSplit = region.epoch.version === 2;
      await untilSplit(cluster, wasSplit ? 3 : 2);
      expectTiled(cluster);
      expect(cluster.regions.map(({ startKey }) => text(startKey))).toEqual(
        wasSplit ? ["", "f", "m"] : ["", "f"],
      );
      expect(await cluster.get("z")).toBe("1");
      await expectConverged(cluster);
    },
  );

  it.each(Array.from({ length: 16 }, (_, step) => step / 2))(
    "SPEC-S2: all Stores lose power %f ms after the command: each has both Regions or the one",
    async (diesAfterMs) => {
      const cluster = await SimCluster.start({ seed: 22 });
      await cluster.put("a", "1");
      await cluster.put("z", "1");
      propose(cluster, await cluster.waitForLeader(), "m");
      await cluster.run(diesAfterMs);
      for (const store of cluster.stores) {
        store.crash();
      }
      for (const store of cluster.stores) {
        // By itself: what it has now, it has from its own disk.
        await cluster.complete(store.start());
        expect([["-@1"], ["-m@2", "m-@2"]]).toContainEqual(rangesOf(store));
        store.crash();
      }
      await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
      expect(await cluster.get("a")).toBe("1");
      expect(await cluster.get("z")).toBe("1");
      expectTiled(cluster);
      await expectConverged(cluster);
    },
  );

  it("SPEC-S4: writes that go on during splits all succeed", async () => {
    const cluster = await SimCluster.start({ seed: 24 });
    const clients = Array.from({ length: 8 }, () => cluster.newPersistentClient());
    let stopped = false;
    const outcomes: string[] = [];
    let slowestMs = 0;
    const running = clients.map(async (client, place) => {
      for (let count = 0; !stopped; count++) {
        const startMs = cluster.clock.monotonicMs();
        const outcome = await client.call(putCommand(`${place}${count % 10}`, "x"));
        outcomes.push(outcome.kind);
        slowestMs = Math.max(slowestMs, cluster.clock.monotonicMs() - startMs);
      }
    });
    for (const key of ["2", "4", "6", "33"]) {
      await cluster.run(200);
      const of = cluster.regions.findLast(({ startKey }) => text(startKey) < key)?.id as RegionId;
      expect(await split(cluster, { at: [key], of })).toEqual({ ok: true });
    }
    await cluster.run(200);
    stopped = true;
    await cluster.complete(Promise.all(running));
    expect(cluster.regions).toHaveLength(5);
    expect(outcomes.length).toBeGreaterThan(1_000);
    expect(outcomes.every((kind) => kind === "ok")).toBe(true);
    expect(slowestMs).toBeLessThan(300);
    await expectConverged(cluster);
  });

  it("SPEC-R4: a write that was sent before the split is answered from its record after it, by the new Region", async () => {
    const cluster = await SimCluster.start({ seed: 25 });
    const identity: SentIdentity = {
      session: { $typeName: "rdb.v1.ClientSession", clientId: 4_711n, lowestOpenSequence: 1 },
      sequence: 1,
      issuedAtMs: Math.floor(cluster.clock.wallMs()),
    };
    const first = await cluster.call(putCommand("z", "mine"), { identity });
    await cluster.put("z", "another's");
    await split(cluster, { at: ["m"] });
    await cluster.put("z", "another's again");
    expect(await cluster.call(putCommand("z", "mine"), { identity })).toEqual(first);
    expect(await cluster.get("z")).toBe("another's again");
    await expectConverged(cluster);
  });

  it("SCENARIO-49 SCENARIO-52: a Store that was cut off splits late, from its log, and needs no snapshot", async () => {
    const cluster = await SimCluster.start({ seed: 26 });
    const leader = await cluster.waitForLeader();
    const late = cluster.others(leader.storeId)[0] as SimStore;
    await cluster.put("a", "1");
    cluster.isolate(late);
    for (let count = 0; count < 100; count++) {
      await cluster.put(`key${count}`, "1");
    }
    await split(cluster, { at: ["m"] });
    await cluster.put("z", "1");
    await split(cluster, { at: ["p"], of: cluster.regions[1]?.id as RegionId });
    await cluster.put("z", "2");
    expect(rangesOf(late)).toEqual(["-@1"]);
    cluster.network.heal();
    await untilSplit(cluster, 3);
    await expectConverged(cluster);
    expect(rangesOf(late)).toEqual(["-m@2", "m-p@3", "p-@3"]);
    expect(cluster.trace.has("a snapshot is installed")).toBe(false);
  });

  it("leaves a read of the old range to nobody: a Store that split late does not serve what moved", async () => {
    const cluster = await SimCluster.start({ seed: 27 });
    const leader = await cluster.waitForLeader();
    await cluster.put("z", "old");
    const { region } = cluster.statusOf(leader);
    await split(cluster, { at: ["m"] });
    await cluster.put("z", "new");
    for (const store of cluster.stores) {
      let answer: KvResponse | undefined;
      store.call((running) =>
        running.handle(
          {
            $typeName: "rdb.v1.RegionHeader",
            regionId: BigInt(region.id),
            epoch: { $typeName: "rdb.v1.RegionEpoch", confVer: 1n, version: 1n },
            storeId: BigInt(store.storeId),
          },
          [kvRequest({ requestId: 1, command: getCommand("z"), timeoutMs: 500, fromFollower: true })],
          (response) => {
            answer = response;
          },
        ),
      );
      await cluster.until("it is answered", () => answer !== undefined);
      expect(answer?.result).toMatchObject({ case: "error", value: { reason: { case: "epochNotMatch" } } });
    }
  });
});

describe("split triggers", () => {
  it("SPEC-S1: a Region that grew to its size is split by its leader, and none is split further than that", async () => {
    const cluster = await SimCluster.start({ seed: 11, config: { regionSplitSizeBytes: 4_000 } });
    for (let count = 0; count < 100; count++) {
      await cluster.put(`key${String(count).padStart(2, "0")}`, "x".repeat(95));
    }
    await cluster.until("it is split", () => cluster.regions.length >= 4);
    await cluster.run(5_000);
    // 10,000 bytes in parts of 2,000 to 4,000.
    expect(cluster.regions.length).toBeLessThanOrEqual(5);
    expectTiled(cluster);
    for (const { id } of cluster.regions) {
      const { approximateSizeBytes } = cluster.statusOf(cluster.leader(id) as SimStore, id);
      expect(approximateSizeBytes).toBeGreaterThanOrEqual(1_800);
      expect(approximateSizeBytes).toBeLessThan(4_000);
    }
    await expectConverged(cluster);
  });

  it("does not split what only looks large because it was overwritten", async () => {
    const cluster = await SimCluster.start({ seed: 12, config: { regionSplitSizeBytes: 4_000 } });
    for (let count = 0; count < 200; count++) {
      await cluster.put(`key${count % 10}`, "x".repeat(95));
    }
    await cluster.run(1_000);
    expect(cluster.regions).toHaveLength(1);
  });

  it("leaves a Region of one key alone, and does not look at it without end", async () => {
    const cluster = await SimCluster.start({ seed: 13, config: { regionSplitSizeBytes: 1_000 } });
    await cluster.put("key", "x".repeat(2_000));
    await cluster.run(10_000);
    expect(cluster.regions).toHaveLength(1);
    const attempts = cluster.trace.tail().match(/is not split now/g) ?? [];
    expect(attempts.length).toBeLessThanOrEqual(5);
  });

  it("splits a hot Region where its load is, if its keys allow it", async () => {
    const config = { splitQps: 200, regionSplitSizeBytes: 1_000_000 };
    const cluster = await SimCluster.start({ seed: 14, config });
    await cluster.put("a", "cold");
    const untilMs = cluster.clock.monotonicMs() + 8_000;
    for (let count = 0; cluster.clock.monotonicMs() < untilMs; count++) {
      await cluster.put(`hot${count % 10}`, "1");
      await cluster.run(3);
    }
    expect(cluster.regions).toHaveLength(2);
    expect(text(cluster.regions[1]?.startKey as Uint8Array)).toMatch(/^hot[3-7]$/);
  });

  it("does not split a Region whose load is one key's", async () => {
    const config = { splitQps: 100, regionSplitSizeBytes: 1_000_000 };
    const cluster = await SimCluster.start({ seed: 15, config });
    const untilMs = cluster.clock.monotonicMs() + 8_000;
    for (let count = 0; cluster.clock.monotonicMs() < untilMs; count++) {
      await cluster.put(count % 3 === 0 ? `cold${count % 7}` : "hot", "1");
      await cluster.run(3);
    }
    expect(cluster.regions).toHaveLength(1);
  });

  it("tells PD how much is read and written a second", async () => {
    const cluster = await SimCluster.start({ seed: 16 });
    const leader = await cluster.waitForLeader();
    const untilMs = cluster.clock.monotonicMs() + 6_000;
    while (cluster.clock.monotonicMs() < untilMs) {
      await cluster.put("key", "x".repeat(97));
      await cluster.get("key");
      await cluster.run(50);
    }
    const { load } = cluster.statusOf(leader);
    expect(load.writtenKeysPerSecond).toBeGreaterThan(10);
    expect(load.writtenKeysPerSecond).toBeLessThan(20);
    expect(load.writtenBytesPerSecond / load.writtenKeysPerSecond).toBeCloseTo(100, 0);
    expect(load.readKeysPerSecond).toBeCloseTo(load.writtenKeysPerSecond, 0);
    expect(load.readBytesPerSecond).toBeGreaterThan(1_000);
    await cluster.run(9_000);
    expect(cluster.statusOf(leader).load.writtenKeysPerSecond).toBeLessThan(0.1);
  });
});

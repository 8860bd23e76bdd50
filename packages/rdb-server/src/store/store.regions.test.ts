import { peerId, regionId, storeId } from "@flaredb/rdb-base";
import type { KvResponse } from "@flaredb/rdb-proto";
import { regionKeyRange } from "@flaredb/rdb-storage";
import { describe, expect, it, vi } from "vitest";
import { Peer } from "../peer/peer.ts";
import { raftMessage } from "../testing/peer-messages.ts";
import {
  type KvCommand,
  SimCluster,
  type SimStore,
  bytes,
  contentOf,
  expectConverged,
  getCommand,
  kvCommand,
  kvRequest,
  putCommand,
  scanCommand,
} from "../testing/index.ts";
import type { Refusal } from "./peer-message.ts";

function twoRegions(seed: number): Promise<SimCluster> {
  return SimCluster.start({ seed, splitKeys: ["m"] });
}

/** Sends a request to a Store under another Region's name, or another epoch, and gives its answer. */
async function askAs(
  cluster: SimCluster,
  store: SimStore,
  header: { readonly region: number; readonly version?: number; readonly storeId?: number },
  command: KvCommand,
): Promise<KvResponse["result"]> {
  let answer: KvResponse | undefined;
  store.store.handle(
    {
      $typeName: "rdb.v1.RegionHeader",
      regionId: BigInt(header.region),
      epoch: { $typeName: "rdb.v1.RegionEpoch", confVer: 1n, version: BigInt(header.version ?? 1) },
      storeId: BigInt(header.storeId ?? store.storeId),
    },
    [kvRequest({ requestId: 1, command, timeoutMs: 1_000 })],
    (response) => {
      answer = response;
    },
  );
  await cluster.until("it is answered", () => answer !== undefined);
  return (answer as KvResponse).result;
}

function refused(reason: string): object {
  return { case: "error", value: { reason: { case: reason } } };
}

describe("two Regions", () => {
  it("SPEC-M1: each elect a leader within 2 s, on different Stores, and take writes independently", async () => {
    const cluster = await twoRegions(1);
    const [first, second] = [
      await cluster.waitForLeader(() => true, regionId(1)),
      await cluster.waitForLeader(() => true, regionId(2)),
    ];
    expect(cluster.clock.monotonicMs()).toBeLessThan(2_000);
    expect(first).not.toBe(second);
    await cluster.put("apple", "1");
    await cluster.put("zebra", "2");
    await cluster.put("zebra", "3");
    await expectConverged(cluster);
    // Each Region counts its own revisions.
    expect(await cluster.complete(contentOf(first))).toEqual(["apple=1@1", "zebra=3@2"]);
  });

  it("SPEC-M2: a refusal that names a Region which is not here any more says nothing of the others", async () => {
    const cluster = await twoRegions(3);
    const leader = await cluster.waitForLeader(() => true, regionId(1));
    const other = leader.storeId === storeId(1) ? storeId(2) : storeId(1);
    const told = vi.spyOn(Peer.prototype, "unreachable");
    try {
      leader.store.unreachable(other, regionId(999));
      expect(told).not.toHaveBeenCalled();
      leader.store.unreachable(other, undefined);
      expect(told).toHaveBeenCalled();
    } finally {
      told.mockRestore();
    }
  });

  it("SPEC-M3: a key outside the addressed Region is refused, always", async () => {
    const cluster = await twoRegions(2);
    const leader = await cluster.waitForLeader(() => true, regionId(1));
    await cluster.waitForLeader(() => true, regionId(2));
    const outside: KvCommand[] = [
      putCommand("zebra", "1"),
      getCommand("m"),
      kvCommand({ case: "delete", value: { key: bytes("x") } }),
      kvCommand({ case: "batchGet", value: { keys: [bytes("a"), bytes("x")] } }),
      kvCommand({
        case: "batchPut",
        value: { rows: [{ key: bytes("a"), value: bytes("1") }, { key: bytes("n") }] },
      }),
      kvCommand({ case: "batchDelete", value: { keys: [bytes("a"), bytes("x")] } }),
      kvCommand({ case: "deleteRange", value: { startKey: bytes("a"), endKey: bytes("n") } }),
      kvCommand({ case: "deleteRange", value: { startKey: bytes("a"), endKey: bytes("") } }),
      kvCommand({ case: "compareAndSwap", value: { key: bytes("x"), value: bytes("1") } }),
      kvCommand({ case: "compareAndDelete", value: { key: bytes("x") } }),
      kvCommand({ case: "conditionalBatch", value: { conditions: [{ key: bytes("x"), version: 0n }] } }),
      kvCommand({
        case: "conditionalBatch",
        value: { mutations: [{ operation: { case: "put", value: { key: bytes("x"), value: bytes("1") } } }] },
      }),
      scanCommand("n", "p"),
    ];
    for (const command of outside) {
      const answer = await askAs(cluster, leader, { region: 1 }, command);
      expect({ kind: command.case, answer }).toMatchObject({ answer: refused("keyNotInRegion") });
    }
    expect(await cluster.complete(contentOf(leader))).toEqual([]);
  });

  it("SPEC-M3: nothing of one Region ends up in the other: a scan shows its own part, deleteRange deletes it", async () => {
    const cluster = await twoRegions(3);
    await cluster.waitForLeader(() => true, regionId(2));
    for (const key of ["a", "l", "m", "z"]) {
      await cluster.put(key, key);
    }
    expect(await cluster.scan("a", "")).toEqual(["a=a", "l=l"]);
    expect(await cluster.scan("m", "")).toEqual(["m=m", "z=z"]);
    await cluster.call(
      kvCommand({ case: "deleteRange", value: { startKey: bytes("m"), endKey: bytes("") } }),
    );
    await expectConverged(cluster);
    expect(await cluster.complete(contentOf(cluster.stores[0] as SimStore))).toEqual(["a=a@1", "l=l@2"]);
  });

  it("SPEC-M2: a message goes to the peer of its Region; one for an unknown Region or peer is refused", async () => {
    const cluster = await twoRegions(4);
    const [store] = cluster.stores as [SimStore];
    const refusals: Refusal[] = [];
    const refuse = (refused: readonly Refusal[]): void => {
      refusals.push(...refused);
    };
    store.store.receive([raftMessage(2, 1, {}, 99)], refuse);
    store.store.receive([raftMessage(2, 1, {}, 1)], refuse);
    expect(refusals).toEqual([
      { regionId: 99, toPeerId: 10, reason: "RegionNotFound" },
      { regionId: 1, toPeerId: 10, reason: "RegionNotFound" },
    ]);
    expect(cluster.trace.has("a message for a Region that is not here is refused")).toBe(true);
    expect(store.store.regionStatus(regionId(99))).toBeUndefined();
  });

  it("SPEC-M4: their logs and states do not collide: each replays its own after a crash", async () => {
    const cluster = await twoRegions(5);
    await cluster.waitForLeader(() => true, regionId(2));
    for (let n = 0; n < 10; n++) {
      await cluster.put(`a${n}`, "first");
      await cluster.put(`z${n}`, "second");
    }
    await expectConverged(cluster);
    const logOf = async (id: number): Promise<number> => {
      const cursor = (cluster.stores[0] as SimStore).engine.openCursor(
        "raft_log",
        regionKeyRange(regionId(id)),
      );
      const { rows } = await cursor.next(1_000, 1_000_000);
      cursor.close();
      return rows.length;
    };
    const counts = [await cluster.complete(logOf(1)), await cluster.complete(logOf(2))];
    expect(counts).toEqual([11, 11]);
    cluster.stores.forEach((store) => store.crash());
    await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
    await expectConverged(cluster);
    expect(await cluster.scan("a", "")).toHaveLength(10);
    expect(await cluster.scan("m", "")).toHaveLength(10);
  });
});

describe("a request", () => {
  it("for another Store, an unknown Region, or without an epoch is refused", async () => {
    const cluster = await twoRegions(6);
    const store = await cluster.waitForLeader();
    const get = getCommand("a");
    expect(await askAs(cluster, store, { region: 1, storeId: 9 }, get)).toMatchObject(
      refused("storeNotMatch"),
    );
    expect(await askAs(cluster, store, { region: 77 }, get)).toMatchObject(refused("regionNotFound"));
    expect(await askAs(cluster, store, { region: Number.MAX_VALUE }, get)).toMatchObject(
      refused("regionNotFound"),
    );
    // A foreign client need not know Store ids.
    expect(await askAs(cluster, store, { region: 1, storeId: 0 }, get)).toMatchObject({ case: "get" });
    const answers: KvResponse[] = [];
    store.store.handle(undefined, [kvRequest({ requestId: 1, command: get })], (answer) =>
      answers.push(answer),
    );
    expect(answers[0]?.result).toMatchObject(refused("invalidArgument"));
  });

  it("for another version of the Region is told the current one", async () => {
    const cluster = await twoRegions(7);
    const store = await cluster.waitForLeader();
    for (const command of [getCommand("a"), putCommand("a", "1")]) {
      expect(await askAs(cluster, store, { region: 1, version: 2 }, command)).toMatchObject({
        case: "error",
        value: { reason: { case: "epochNotMatch", value: { currentRegions: [{ id: 1n }] } } },
      });
    }
  });
});

describe("createPeer", () => {
  it("is idempotent, and refused where any record of the Region is or its range is taken", async () => {
    const cluster = await twoRegions(8);
    const [store] = cluster.stores as [SimStore];
    const create = (region: (typeof cluster.regions)[number]) =>
      cluster.complete(store.store.createPeer(region));
    expect(await create(cluster.region)).toBe("exists");
    const peers = [{ id: peerId(901), storeId: storeId(1), role: "Voter" as const }];
    expect(await create({ ...cluster.region, id: regionId(9), peers })).toContain("overlaps Region 1");
    expect(await create({ ...cluster.region, id: regionId(9), peers: [] })).toContain(
      "has no peer on Store 1",
    );
  });

  it("at once for the same Region makes one peer, and for overlapping ones only one of them", async () => {
    const cluster = await SimCluster.start({ seed: 10, storeCount: 1, splitKeys: ["m"], bootstrap: false });
    const [store] = cluster.stores as [SimStore];
    const [left, right] = cluster.regions as [
      (typeof cluster.regions)[number],
      (typeof cluster.regions)[number],
    ];
    const wide = {
      ...left,
      id: regionId(9),
      endKey: bytes(""),
      peers: [{ ...left.peers[0], id: peerId(901) }],
    };
    const outcomes = await cluster.complete(
      Promise.all([left, left, wide as typeof left, right].map((region) => store.store.createPeer(region))),
    );
    expect(outcomes).toEqual(["created", "created", expect.stringContaining("overlaps Region 1"), "created"]);
    expect(store.store.regionStatuses().map((status) => status.region.id)).toEqual([1, 2]);
  });

  it("makes a voter that a restart finds, though it crashed right after", async () => {
    const cluster = await SimCluster.start({ seed: 11 });
    const [store] = cluster.stores as [SimStore];
    store.crash();
    await cluster.complete(store.start());
    expect(store.store.regionStatus(cluster.region.id)).toMatchObject({ peerId: 101 });
    await cluster.put("k", "1");
    await expectConverged(cluster);
  });

  it("campaigns at once on the first Store of the list, whichever is told first", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const cluster = await SimCluster.start({ seed });
      const leader = await cluster.waitForLeader();
      expect(leader.storeId).toBe(cluster.region.peers[0]?.storeId);
      expect(cluster.clock.monotonicMs()).toBeLessThan(500);
    }
  });
});

describe("a tombstone", () => {
  it("destroys a peer that was removed at a newer epoch, and its data, for good", async () => {
    const cluster = await twoRegions(12);
    await cluster.waitForLeader(() => true, regionId(2));
    await cluster.put("apple", "1");
    await cluster.put("zebra", "1");
    await expectConverged(cluster);
    const [store] = cluster.stores as [SimStore];
    const peer = cluster.region.peers.find((candidate) => candidate.storeId === store.storeId);
    const from = cluster.region.peers.find((candidate) => candidate.storeId !== store.storeId);
    if (peer === undefined || from === undefined) {
      throw new Error("the Region has peers on all Stores");
    }
    const tombstone = (confVer: number) =>
      store.store.receive(
        [
          {
            regionId: cluster.region.id,
            fromPeer: from,
            toPeer: peer,
            epoch: { confVer, version: 1 },
            range: undefined,
            payload: { kind: "tombstone", epoch: { confVer, version: 1 } },
          },
        ],
        () => {},
      );
    // No evidence: the same epoch.
    tombstone(1);
    expect(store.store.regionStatus(cluster.region.id)).toBeDefined();
    tombstone(2);
    expect(store.store.regionStatus(cluster.region.id)).toBeUndefined();
    await cluster.run(100);
    expect(await cluster.complete(contentOf(store))).toEqual(["zebra=1@1"]);
    expect(await cluster.complete(store.store.createPeer(cluster.region))).toContain("has a record");

    store.crash();
    await cluster.complete(store.start());
    expect(store.store.regionStatus(cluster.region.id)).toBeUndefined();
    expect(await cluster.complete(store.store.createPeer(cluster.region))).toContain("has a record");
  });
});

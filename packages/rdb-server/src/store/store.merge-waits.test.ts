import { RdbError, type RegionId, peerId, regionId } from "@flaredb/rdb-base";
import { WritePart, getRegionLocalState, putRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  SimCluster,
  type SimStore,
  addVoter,
  bytes,
  contentOf,
  leadFrom,
  makeChange,
  peerOn,
  putCommand,
  remove,
} from "../testing/index.ts";
import type { AdminOutcome } from "./admin-command.ts";

const TARGET = regionId(1);
const SOURCE = regionId(2);
/** Longer than a source waits before it wants to be let go. */
const WAIT_MS = 20_000;

/** Six Stores; on the first three the target `-m` and the source `m-`, with a row in each. */
async function twoRegions(seed: number): Promise<SimCluster> {
  const cluster = await SimCluster.start({
    ...{ seed, splitKeys: ["m"], storeCount: 6, bootstrap: false },
    config: { hibernateAfterMs: 0, stalePeerMs: 1_000 },
  });
  const created = cluster.regions.flatMap((region) => {
    const peers = region.peers.filter(({ storeId }) => storeId <= 3);
    return peers.map(({ storeId }) => cluster.storeOf(storeId).store.createPeer({ ...region, peers }));
  });
  await cluster.complete(Promise.all(created));
  await cluster.put("a", "1");
  await cluster.put("n", "1");
  return cluster;
}

/** Has the source, which Store 2 leads, wait for the target, which Store 1 leads, and have no word with Store 1. */
async function waiting(cluster: SimCluster): Promise<void> {
  const first = cluster.storeOf(1);
  const second = cluster.storeOf(2);
  await leadFrom(cluster, first);
  await leadSource(cluster, second);
  cluster.network.intercept = ({ regionId: id, fromPeer, toPeer }) =>
    id === SOURCE && (fromPeer.storeId === 1 || toPeer.storeId === 1) ? "drop" : "deliver";
  expect(await merge(cluster, second)).toEqual({ ok: true });
  await cluster.until("the source waits", () =>
    [2, 3].every((id) => cluster.statusOf(cluster.storeOf(id), SOURCE).isMerging),
  );
}

async function leadSource(cluster: SimCluster, store: SimStore): Promise<void> {
  await cluster.until("it leads the source", () => {
    const leader = cluster.leader(SOURCE);
    const { epoch } = cluster.statusOf(store, SOURCE).region;
    leader?.store.transferLeader(SOURCE, epoch, peerId(200 + store.storeId));
    return leader === store;
  });
  await cluster.run(500);
}

function merge(cluster: SimCluster, leader: SimStore): Promise<AdminOutcome> {
  const { epoch } = cluster.statusOf(leader, SOURCE).region;
  const target = cluster.statusOf(leader, TARGET).region;
  return cluster.complete(leader.store.mergeRegion({ regionId: SOURCE, epoch, target }));
}

/** The target goes to Stores 4, 5 and 6. */
async function moveTarget(cluster: SimCluster): Promise<void> {
  for (const id of [4, 5, 6]) {
    await addVoter(cluster, peerOn(id));
  }
  await leadFrom(cluster, cluster.storeOf(4));
  for (const id of [1, 2, 3]) {
    await makeChange(cluster, remove(peerOn(id)));
  }
  const at = [1, 2, 3].map((id) => cluster.storeOf(id));
  await cluster.until("the target has left", () => at.every((store) => isGone(store, TARGET)));
  cluster.pdRegions.set(TARGET, cluster.statusOf(cluster.storeOf(4), TARGET).region);
}

/** The target goes while the source has no leader that could roll back, and leaves nothing that tells about it. */
async function leaveWithoutTrace(cluster: SimCluster): Promise<void> {
  cluster.network.intercept = ({ regionId: id }) => (id === SOURCE ? "drop" : "deliver");
  await cluster.until("nobody leads the source", () => cluster.leader(SOURCE) === undefined);
  await moveTarget(cluster);
  [1, 2, 3].forEach((id) => forgetTarget(cluster.storeOf(id)));
}

/** As when an empty peer of it came and went since: nothing tells how far the Region was. */
function forgetTarget(store: SimStore): void {
  const region = { id: TARGET, startKey: bytes(""), endKey: bytes("") };
  const part = new WritePart();
  putRegionLocalState(part, {
    state: "Tombstone",
    region: { ...region, epoch: { confVer: 99, version: 0 }, peers: [peerOn(store.storeId, 900)] },
  });
  store.engine.submit(part);
}

function isGone(store: SimStore, id: RegionId): boolean {
  return getRegionLocalState(store.engine, id)?.state === "Tombstone";
}

function isServing(cluster: SimCluster, id: RegionId): boolean {
  const leader = cluster.leader(id);
  return leader !== undefined && !cluster.statusOf(leader, id).isMerging;
}

async function write(cluster: SimCluster, key: string, value: string): Promise<void> {
  const outcome = await cluster.complete(cluster.newPersistentClient().call(putCommand(key, value), {}));
  expect(outcome.kind).toBe("ok");
}

describe("the source of a merge that nobody carries on", () => {
  it("SCENARIO-55: serves again once the target's new Stores say that it never was taken", async () => {
    const cluster = await twoRegions(1);
    await waiting(cluster);
    await leaveWithoutTrace(cluster);
    cluster.network.heal();
    await cluster.until("the source serves", () => isServing(cluster, SOURCE), WAIT_MS);
    await write(cluster, "n", "2");
    await write(cluster, "a", "2");
  });

  it("SCENARIO-55: does not serve while nobody can tell", async () => {
    const cluster = await twoRegions(2);
    await waiting(cluster);
    await leaveWithoutTrace(cluster);
    cluster.network.heal();
    cluster.network.partition(
      [4, 5, 6].map((id) => cluster.storeOf(id).storeId),
      cluster.storeIds.slice(0, 3),
    );
    await cluster.run(WAIT_MS);
    expect([1, 2, 3].some((id) => isServingOn(cluster.storeOf(id)))).toBe(false);
    cluster.network.heal();
    await cluster.until("the source serves", () => isServing(cluster, SOURCE), WAIT_MS);
  });

  it("SCENARIO-55: goes when the target's new Stores say that it was taken", async () => {
    const cluster = await twoRegions(3);
    const behind = cluster.storeOf(3);
    await waiting(cluster);
    cluster.isolate(behind);
    cluster.network.intercept = () => "deliver";
    await cluster.until("the target has the source", () => isGone(cluster.storeOf(1), SOURCE));
    for (const id of [4, 5, 6]) {
      await addVoter(cluster, peerOn(id));
    }
    await leadFrom(cluster, cluster.storeOf(4));
    for (const id of [1, 2, 3]) {
      await makeChange(cluster, remove(peerOn(id)));
    }
    cluster.pdRegions.set(TARGET, cluster.statusOf(cluster.storeOf(4), TARGET).region);
    expect(cluster.statusOf(behind, SOURCE).isMerging).toBe(true);
    // Whoever took it is no more: only where the target is now it is known.
    [1, 2].forEach((id) => cluster.storeOf(id).crash());
    cluster.network.heal();
    await cluster.until("it is gone", () => isGone(behind, SOURCE) && isGone(behind, TARGET), WAIT_MS);
    await write(cluster, "n", "2");
  });

  it("SCENARIO-55: serves again when its peer beside the target's leader has halted", async () => {
    const cluster = await twoRegions(4);
    const [first, second] = [cluster.storeOf(1), cluster.storeOf(2)];
    const part = new WritePart();
    part.put("data", bytes("n"), Uint8Array.of(9));
    await leadFrom(cluster, first);
    await leadSource(cluster, second);
    first.engine.submit(part);
    await cluster.cas("n", "1", "2");
    expect(await merge(cluster, second)).toEqual({ ok: true });
    await cluster.until("it halts", () => first.store.regionStatus(SOURCE) === undefined);
    await cluster.until("the source waits", () => cluster.statusOf(second, SOURCE).isMerging);
    await cluster.until("the source serves", () => isServing(cluster, SOURCE), WAIT_MS);
    expect(first.store.regionStatus(TARGET)?.isLeader).toBe(true);
    await write(cluster, "n", "3");
    await write(cluster, "a", "3");
  });

  it("SCENARIO-55: gives up while the target has no leader, and is taken or serves again when that is back", async () => {
    for (const seed of [5, 6, 7, 8]) {
      const cluster = await twoRegions(seed);
      await waiting(cluster);
      cluster.network.intercept = ({ regionId: id, payload }) =>
        id === TARGET && payload.kind === "raft" ? "drop" : "deliver";
      await cluster.run(WAIT_MS);
      expect(cluster.statusOf(cluster.storeOf(2), SOURCE).isMerging).toBe(true);
      cluster.network.heal();
      await cluster.until(
        "the merge is over",
        () => isServing(cluster, SOURCE) || isGone(cluster.storeOf(2), SOURCE),
      );
      await write(cluster, "n", "2");
      await write(cluster, "a", "2");
    }
  });
});

describe("a merge that comes about just when it is given up", () => {
  it("SPEC-S2, M3: SCENARIO-55: is, or is not, on all Stores alike", async () => {
    const outcomes = new Map<string, number>();
    for (let seed = 30; seed < 90; seed++) {
      const cluster = await twoRegions(seed);
      await waiting(cluster);
      // The source gives up after 10 s. Its peer beside the target's leader hears of the merge around then.
      await cluster.run(9_800 + (seed - 30) * 20);
      cluster.network.heal();
      if (seed % 3 === 0) {
        cluster.storeOf(1 + (seed % 2)).crash();
        await cluster.run(seed);
        await cluster.complete(cluster.storeOf(1 + (seed % 2)).start());
      }
      const first = cluster.stores.slice(0, 3);
      await cluster.until("the merge is over", () => {
        const states = first.map((store) => describeEnd(store));
        return states[0] !== "open" && states.every((state) => state === states[0]);
      });
      const end = describeEnd(cluster.storeOf(1));
      outcomes.set(end, (outcomes.get(end) ?? 0) + 1);
      for (const [key, value] of [
        ["a", "2"],
        ["n", "2"],
      ] as const) {
        expect(await cluster.get(key)).toBe("1");
        await write(cluster, key, value);
        expect(await cluster.get(key)).toBe(value);
      }
      await cluster.run(2_000);
      const rows = await Promise.all(first.map((store) => cluster.complete(contentOf(store))));
      expect(new Set(rows.map((each) => each.join())).size).toBe(1);
    }
    expect([...outcomes.keys()].toSorted()).toEqual(["serves", "taken"]);
  });
});

/** What became of the merge on a Store: the source was taken, both serve, or neither yet. */
function describeEnd(store: SimStore): "taken" | "serves" | "open" {
  const [source, target] = [SOURCE, TARGET].map((id) => store.store.regionStatus(id)?.region);
  if (source === undefined && target?.endKey.length === 0) {
    return "taken";
  }
  const isSplit = target?.endKey.length === 1 && source !== undefined;
  return isSplit && isServingOn(store) && source.epoch.version === 3 ? "serves" : "open";
}

describe("a target's peer whose source's peer cannot come", () => {
  it("SPEC-S2, R4: SCENARIO-55: takes it as soon as it can, without a restart, and skips nothing", async () => {
    const cluster = await twoRegions(20);
    const third = cluster.storeOf(3);
    await leadFrom(cluster, cluster.storeOf(1));
    await leadSource(cluster, cluster.storeOf(2));
    const restore = failReads(third, "n");
    await cluster.cas("n", "1", "2");
    expect(await merge(cluster, cluster.storeOf(2))).toEqual({ ok: true });
    await cluster.until("both halt", () => third.store.regionStatuses().length === 0);
    // It is tried again in vain, later and later.
    await cluster.run(15_000);
    expect(third.store.regionStatus(TARGET)?.region.endKey).not.toEqual(bytes(""));
    restore();
    await cluster.until("the target has the source", () => isGone(third, SOURCE), 60_000);
    await write(cluster, "n", "3");
    const leader = cluster.storeOf(1);
    await cluster.until("it has everything", () => {
      const [here, there] = [third, leader].map((store) => store.store.regionStatus(TARGET)?.appliedIndex);
      return here === there;
    });
    expect(await cluster.complete(contentOf(third))).toEqual(await cluster.complete(contentOf(leader)));
    expect(third.store.regionStatus(TARGET)?.region).toEqual(cluster.statusOf(leader, TARGET).region);
  });
});

/** As when the Store has too many open files: reads of the key fail, and nothing is damaged. @returns what ends it */
function failReads(store: SimStore, key: string): () => void {
  const { engine } = store;
  const get = engine.get.bind(engine);
  engine.get = (column, at) => {
    if (column === "data" && Buffer.from(at).toString() === key) {
      throw new RdbError("RDB_STORAGE_FAILED", "a read failed: too many open files");
    }
    return get(column, at);
  };
  return () => {
    engine.get = get;
  };
}

function isServingOn(store: SimStore): boolean {
  const status = store.store.regionStatus(SOURCE);
  return status !== undefined && !status.isMerging;
}

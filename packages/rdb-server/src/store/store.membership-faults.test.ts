import { peerOnStore } from "@flaredb/rdb-base";
import { getRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  ConfChanger,
  FaultPlan,
  Workload,
  expectMembersLevel,
  regionNow,
  remainsOf,
  startWithPeersOnFirst,
} from "../testing/index.ts";

const FAULT_MS = 12_000;
const seeds = Number(process.env["FLAREDB_SEEDS"] ?? 8);
const firstSeed = Number(process.env["FLAREDB_FIRST_SEED"] ?? 1);

async function runSeed(seed: number): Promise<number> {
  const cluster = await startWithPeersOnFirst({
    seed,
    peerCount: 3,
    config: {
      hibernateAfterMs: 300,
      logGc: { maxEntries: 20, checkIntervalMs: 100 },
      slowDiskMs: 500,
      stalePeerMs: 1_000,
    },
    clocks: (place) => ({ rate: 0.95 + 0.05 * (place % 3), wallOffsetMs: place * 3_000 }),
  });
  const faults = new FaultPlan(cluster);
  const changer = new ConfChanger(cluster);
  try {
    const workload = new Workload(cluster, { clientCount: 4, keys: ["k1", "k2", "k3"], pauseMaxMs: 40 });
    changer.start();
    await faults.run(FAULT_MS);
    await cluster.complete(changer.stop());
    await workload.stop();
    await workload.judge();
    await expectMembersLevel(cluster);
    const { id, peers } = await regionNow(cluster);
    cluster.pdRegions.set(id, await regionNow(cluster));
    for (const store of cluster.stores) {
      const isMember = peers.some((peer) => peer.storeId === store.storeId);
      if (!isMember && getRegionLocalState(store.engine, id) !== undefined) {
        expect(await remainsOf(cluster, store)).toMatchObject({ state: "Tombstone", rowCount: 0 });
      }
      const there = peerOnStore({ ...cluster.region, peers }, store.storeId);
      expect(store.store.regionStatus(id)?.peerId).toBe(there?.id);
    }
    expect(cluster.stores.map((store) => store.fatalError)).toEqual(cluster.stores.map(() => undefined));
    expect(cluster.trace.has("the peer stops")).toBe(false);
    return changer.takenCount;
  } catch (error) {
    const plan = faults.done.join("\n");
    const changes = changer.done.join("\n");
    throw new Error(
      `seed ${seed}: ${String(error)}\nfaults:\n${plan}\nchanges:\n${changes}\n${cluster.trace.tail(300)}`,
      { cause: error },
    );
  }
}

describe("random changes of peers, with random faults", () => {
  it.each(Array.from({ length: seeds }, (_, place) => firstSeed + place))(
    "SPEC-C1, C3, C4: SCENARIO-42: seed %i stays linearizable, and leaves nothing where no peer is",
    async (seed) => {
      expect(await runSeed(seed)).toBeGreaterThan(0);
    },
  );
});

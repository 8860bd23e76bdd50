import { peerOnStore } from "@flaredb/rdb-base";
import { getRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  ConfChanger,
  FAULTY_CONFIG,
  type SimCluster,
  expectMembersLevel,
  faultSeeds,
  regionNow,
  remainsOf,
  runAmongFaults,
  skewedClocks,
  startWithPeersOnFirst,
} from "../testing/index.ts";

async function runSeed(seed: number): Promise<number> {
  const config = { ...FAULTY_CONFIG, stalePeerMs: 1_000 };
  const cluster = await startWithPeersOnFirst({ seed, peerCount: 3, config, clocks: skewedClocks });
  const changer = new ConfChanger(cluster);
  await runAmongFaults(cluster, {
    ...{ seed, keys: ["k1", "k2", "k3"], pauseMaxMs: 40 },
    meanwhile: {
      start: () => changer.start(),
      stop: () => cluster.complete(changer.stop()),
      done: changer.done,
    },
    converged: async () => {
      await expectMembersLevel(cluster);
      await expectNothingElsewhere(cluster);
    },
  });
  return changer.takenCount;
}

/** Peers are where the Region says, and nothing is left of those that were elsewhere. */
async function expectNothingElsewhere(cluster: SimCluster): Promise<void> {
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
}

describe("random changes of peers, with random faults", () => {
  it.each(faultSeeds())(
    "SPEC-C1, C3, C4: SCENARIO-42: seed %i stays linearizable, and leaves nothing where no peer is",
    async (seed) => {
      expect(await runSeed(seed)).toBeGreaterThan(0);
    },
  );
});

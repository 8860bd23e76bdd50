import { type Region, SeededRandom, assert, peerOnStore } from "@flaredb/rdb-base";
import { fuzzSeed } from "@flaredb/rdb-proto/testing";
import { expect, test } from "vitest";
import { SimCluster, type SimStore } from "../testing/index.ts";
import { LyingPeer } from "../testing/lying-peer.ts";
import { decodeRaftBatch } from "../transport/raft-decoder.ts";

/** A peer that halted hears no more lies: rather many clusters than many lies. */
const CLUSTER_COUNT = Number(process.env["FLAREDB_FUZZ_CLUSTERS"] ?? 8);
const LIE_COUNT = 300;

async function lieTo(cluster: SimCluster, region: Region, seed: number): Promise<number> {
  const random = new SeededRandom(seed);
  const liar = new LyingPeer(seed);
  let takenCount = 0;
  for (let left = LIE_COUNT; left > 0; left--) {
    const to = cluster.stores[random.nextInt(cluster.stores.length)] as SimStore;
    const peer = peerOnStore(region, to.storeId);
    assert(peer !== undefined, "each Store has a peer of the Region");
    const { term, lastIndex } = to.store.regionStatus(region.id) ?? { term: 1, lastIndex: 1 };
    const ends = { clusterId: 7n, fromStoreId: 1n, toStoreId: BigInt(to.storeId) };
    const batch = liar.batch([liar.message({ region, term, lastIndex }, peer)], ends);
    const messages = decodeRaftBatch(batch).messages.flatMap((one) => (one.ok ? [one.message] : []));
    takenCount += messages.length;
    to.store.receive(messages, () => {});
    await cluster.run(random.nextInt(3));
  }
  return takenCount;
}

/** Each found something once: an assertion that ended the process, or a loop without an end. */
const FOUND = [1, 2, 2_008, 324_017_678, 324_086_877, 324_086_879, 324_086_889, 324_086_893];
const first = fuzzSeed();
const seeds = [...FOUND, ...Array.from({ length: CLUSTER_COUNT }, (_, place) => first + place)];

test.each(seeds)("a Store that lies about a Region harms no other (FLAREDB_FUZZ_SEED=%i)", async (seed) => {
  const cluster = await SimCluster.start({ seed, splitKeys: ["m"] });
  await cluster.put("a", "0");
  const [, region] = cluster.regions;
  assert(region !== undefined, "the cluster has two Regions");
  expect(await lieTo(cluster, region, seed)).toBeGreaterThan(LIE_COUNT / 4);
  await cluster.put("a", "1");
  expect(await cluster.get("a")).toBe("1");
  expect(cluster.stores.map(({ fatalError }) => fatalError)).toEqual([undefined, undefined, undefined]);
});

import { RdbError, assert } from "@flaredb/rdb-base";
import type { Region } from "@flaredb/rdb-proto";
import { fromConnectError } from "@flaredb/rdb-wire";
import { FakeStore, regionOf } from "./fake-store.ts";
import { RegionActor } from "./region-actor.ts";
import type { TestPd } from "./test-pd.ts";

export type ThreeStores = readonly [FakeStore, FakeStore, FakeStore];

/** What a call that must fail fails with. */
export async function refusal(call: Promise<unknown>): Promise<RdbError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => fromConnectError(thrown),
  );
  assert(error instanceof RdbError, "the call is refused");
  return error;
}

export async function registered(pd: TestPd, port: number): Promise<FakeStore> {
  const store = new FakeStore(pd.client(), `127.0.0.1:${port}`);
  await store.register();
  return store;
}

/** Three Stores with open streams. */
export async function threeStores(pd: TestPd): Promise<ThreeStores> {
  const stores: ThreeStores = [
    await registered(pd, 7410),
    await registered(pd, 7411),
    await registered(pd, 7412),
  ];
  for (const store of stores) {
    store.openStream();
  }
  return stores;
}

/** Three Stores of two initial Regions, where each Region's first peer has reported to lead. */
export async function bootstrapped(
  pd: TestPd,
): Promise<{ readonly stores: ThreeStores; readonly regions: readonly Region[] }> {
  const stores = await threeStores(pd);
  const regions = [
    regionOf(await stores[0].next("createPeer")),
    regionOf(await stores[0].next("createPeer")),
  ];
  for (const region of regions) {
    const leader = stores.find((store) => store.storeId === region.peers[0]?.storeId);
    leader?.keepalive([leader.leaderReport(region)]);
  }
  for (;;) {
    const { regionWithLeaderCount } = await stores[0].client.getClusterInfo({});
    if (regionWithLeaderCount === regions.length) {
      return { stores, regions };
    }
  }
}

/** As `bootstrapped`, with a fourth Store; every Store has reported all it has, so that PD plans. */
export async function fourStores(
  pd: TestPd,
): Promise<{ readonly stores: readonly FakeStore[]; readonly actors: readonly RegionActor[] }> {
  const { stores, regions } = await bootstrapped(pd);
  const fourth = await registered(pd, 7413);
  fourth.openStream();
  await fourth.next("storeList");
  const all = [...stores, fourth];
  const actors = regions.map((region) => {
    const leader = stores.find((store) => store.storeId === region.peers[0]?.storeId);
    assert(leader !== undefined, "an initial Region's first peer leads");
    return new RegionActor(all, region, leader);
  });
  for (const store of all) {
    await reportAll(store, actors);
  }
  return { stores: all, actors };
}

/** What the Store would say when asked for everything. */
export async function reportAll(store: FakeStore, actors: readonly RegionActor[]): Promise<void> {
  store.reports = actors
    .filter(({ region }) => region.peers.some(({ storeId }) => storeId === store.storeId))
    .map((actor) =>
      actor.leader === store
        ? store.leaderReport(actor.region, actor.term)
        : store.followerReport(actor.region),
    );
  await store.heartbeat(store.reports);
}

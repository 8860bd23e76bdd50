import { RdbError, assert } from "@flaredb/rdb-base";
import type { Region } from "@flaredb/rdb-proto";
import { fromConnectError } from "@flaredb/rdb-wire";
import { FakeStore, regionOf } from "./fake-store.ts";
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

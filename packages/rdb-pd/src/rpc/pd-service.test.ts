import { RdbError } from "@flaredb/rdb-base";
import { type Region, StoreState } from "@flaredb/rdb-proto";
import { fromConnectError } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeStore, regionOf } from "../testing/fake-store.ts";
import { key } from "../testing/regions.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  pd = await TestPd.start({ initialSplitKeys: ["m"] });
});

afterEach(() => pd.close());

async function refusal(call: Promise<unknown>): Promise<RdbError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => fromConnectError(thrown),
  );
  expect(error).toBeInstanceOf(RdbError);
  return error as RdbError;
}

async function registered(port: number): Promise<FakeStore> {
  const store = new FakeStore(pd.client(), `127.0.0.1:${port}`);
  await store.register();
  return store;
}

/** Three Stores with open streams. */
async function threeStores(): Promise<[FakeStore, FakeStore, FakeStore]> {
  const stores: [FakeStore, FakeStore, FakeStore] = [
    await registered(7410),
    await registered(7411),
    await registered(7412),
  ];
  for (const store of stores) {
    store.openStream();
  }
  return stores;
}

/** Three Stores, where each initial Region's first peer has reported to lead. */
async function bootstrapped(): Promise<{ stores: [FakeStore, FakeStore, FakeStore]; regions: Region[] }> {
  const stores = await threeStores();
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
    if (regionWithLeaderCount === 2) {
      return { stores, regions };
    }
  }
}

describe("SPEC-M1: bootstrap", () => {
  test("with the third Store the initial Regions are placed, and each Store is told to make its peers", async () => {
    const first = await registered(7410);
    const second = await registered(7411);
    first.openStream();
    const before = await first.client.getClusterInfo({});
    expect(before).toMatchObject({
      bootstrapped: false,
      bootstrapStoreCount: 3,
      registeredStoreCount: 2,
      upStoreCount: 2,
    });
    expect((await refusal(first.client.getRegion({ key: key("a") }))).code).toBe(
      "RDB_CLUSTER_NOT_BOOTSTRAPPED",
    );
    expect((await refusal(first.client.listRegions({}))).code).toBe("RDB_CLUSTER_NOT_BOOTSTRAPPED");

    const third = await registered(7412);
    expect((await third.client.getClusterInfo({})).bootstrapped).toBe(true);
    for (const store of [first, second, third]) {
      store.openStream();
      const commands = [await store.next("createPeer"), await store.next("createPeer")];
      expect(commands.map(({ value }) => [value.clusterId, value.storeId])).toEqual([
        [pd.clusterId, store.storeId],
        [pd.clusterId, store.storeId],
      ]);
      expect(
        commands.map(regionOf).map(({ id, startKey, endKey, peers }) => [id, startKey, endKey, peers.length]),
      ).toEqual([
        [1n, key(""), key("m"), 3],
        [2n, key("m"), key(""), 3],
      ]);
    }
  });

  test("the command is repeated with each keepalive until a leader has reported, and never again", async () => {
    const [one, two] = await threeStores();
    const region = regionOf(await one.next("createPeer"));
    await one.next("createPeer");
    one.keepalive();
    expect(regionOf(await one.next("createPeer")).id).toBe(region.id);
    await one.next("createPeer");

    await two.next("createPeer");
    await two.next("createPeer");
    two.keepalive([two.leaderReport(region)]);
    expect(regionOf(await two.next("createPeer")).id).toBe(2n);
    one.keepalive();
    expect(regionOf(await one.next("createPeer")).id).toBe(2n);

    await pd.restart();
    const again = new FakeStore(pd.client(), one.address);
    Object.assign(again, { storeId: one.storeId, clusterId: one.clusterId });
    again.openStream();
    expect(regionOf(await again.next("createPeer")).id).toBe(2n);
  });

  test("a cluster of one Store has one peer for each Region", async () => {
    await pd.close();
    pd = await TestPd.start({ bootstrapStores: 1 });
    const only = await registered(7410);
    only.openStream();
    const region = regionOf(await only.next("createPeer"));
    expect(region.peers.map((peer) => peer.storeId)).toEqual([1n]);
    expect([region.startKey, region.endKey]).toEqual([key(""), key("")]);
  });
});

describe("SPEC-M7: registration", () => {
  test("a Store of another cluster is refused", async () => {
    const store = new FakeStore(pd.client(), "127.0.0.1:7410");
    store.clusterId = 12_345n;
    const error = await refusal(store.register());
    expect(error.code).toBe("RDB_CLUSTER_MISMATCH");
    expect(error.message).toContain("belongs to cluster 12345");
  });

  test("a lost answer costs no second id: the same token gets the same one", async () => {
    const first = await registered(7410);
    const again = await registered(7410);
    expect(again.storeId).toBe(first.storeId);
    expect((await registered(7411)).storeId).toBe(2n);
  });

  test("the address of a Store that is up is refused; once it is silent, the newcomer takes it", async () => {
    await registered(7410);
    const register = () =>
      pd.client().registerStore({ address: "127.0.0.1:7410", registrationToken: "another", bootId: 5n });
    const error = await refusal(register());
    expect(error.code).toBe("RDB_ALREADY_EXISTS");
    expect(error.message).toContain("address 127.0.0.1:7410 of a new store is that of store 1");
    pd.clock.advance(6_001);
    expect((await register()).storeId).toBe(2n);
    const { status } = await pd.client().getStore({ storeId: 1n });
    expect(status?.store?.state).toBe(StoreState.TOMBSTONE);
  });

  test("two processes of one Store: the older one is refused from then on", async () => {
    const older = await registered(7410);
    older.openStream();
    await older.next("storeList");
    const newer = new FakeStore(pd.client(), older.address, 2n);
    Object.assign(newer, { storeId: older.storeId, clusterId: older.clusterId });
    await newer.register();
    expect((await refusal(older.heartbeat())).code).toBe("RDB_STORE_NOT_MATCH");
    older.keepalive();
    expect(await older.streamEnd()).toMatchObject({ code: "RDB_STORE_NOT_MATCH" });
  });

  test.each([
    [{ address: "", registrationToken: "t" }, "address must not be empty"],
    [{ address: "a:1", registrationToken: "" }, "registration_token must not be empty"],
    [{ address: "a".repeat(257), registrationToken: "t" }, "address has 257 characters, the limit is 256"],
    [{ address: "nowhere", registrationToken: "t" }, 'address "nowhere" must be host:port'],
    [{ address: "a:1", registrationToken: "t", labels: { "": "x" } }, "labels must not be empty"],
    [{ address: "a:1", storeId: 2n ** 60n }, "store id 1152921504606846976 must be an integer from 0"],
    [{ address: "a:1", storeId: 9n }, "store 9 was never registered here"],
  ])("%o is refused: %s", async (request, message) => {
    expect((await refusal(pd.client().registerStore(request))).message).toContain(message);
  });

  test("every Store hears of every address, at the beginning and when one joins or moves", async () => {
    const one = await registered(7410);
    one.openStream();
    const atFirst = await one.next("storeList");
    expect(atFirst.value.stores.map((store) => store.address)).toEqual(["127.0.0.1:7410"]);
    const two = await registered(7411);
    const joined = await one.next("storeList");
    expect(joined.value.stores.map((store) => store.id)).toEqual([1n, 2n]);
    const { storeId, clusterId } = two;
    await two.client.registerStore({ storeId, clusterId, address: "127.0.0.1:9999", bootId: 2n });
    const moved = await one.next("storeList");
    expect(moved.value.stores.map((store) => store.address)).toEqual(["127.0.0.1:7410", "127.0.0.1:9999"]);
  });
});

describe("SPEC-M6: heartbeats", () => {
  test("after PD's start a Store is asked to report everything, and no more once it has", async () => {
    const store = await registered(7410);
    store.openStream();
    await store.next("reportAll");
    await store.heartbeat();
    await store.closeStream();
    store.received.length = 0;
    store.openStream();
    await store.next("storeList");
    const other = await registered(7411);
    await store.next("storeList");
    expect(store.received).toEqual([]);
    await pd.restart();
    const again = new FakeStore(pd.client(), store.address);
    Object.assign(again, { storeId: store.storeId, clusterId: store.clusterId });
    again.openStream();
    await again.next("reportAll");
    expect(other.storeId).toBe(2n);
  });

  test("the digest: what PD does not know it asks for, what it knows need not be said again", async () => {
    const { stores, regions } = await bootstrapped();
    const [one] = stores;
    one.reports = regions.map((region) => one.followerReport(region));
    expect((await one.heartbeat()).sendRegions).toBe(true);
    expect((await one.heartbeat(one.reports)).sendRegions).toBe(false);
    expect((await one.heartbeat()).sendRegions).toBe(false);
    one.reports = one.reports.slice(1);
    expect((await one.heartbeat()).sendRegions).toBe(true);
  });

  test("health and counts stand in the list of Stores", async () => {
    const { stores } = await bootstrapped();
    await stores[0].heartbeat();
    const { statuses } = await pd.client().listStores({});
    expect(statuses.map(({ regionCount, leaderCount }) => [regionCount, leaderCount])).toEqual([
      [2, 1],
      [2, 1],
      [2, 0],
    ]);
    expect(statuses[0]?.stats?.availableBytes).toBe(60n);
    expect(statuses[1]?.stats).toBeUndefined();
  });

  test("a Store whose keepalives are missing is disconnected after 6 s and down after 30 min", async () => {
    const [one] = await threeStores();
    await one.next("storeList");
    const states = async () => {
      const { statuses } = await one.client.listStores({});
      return statuses.map(({ store }) => store?.state);
    };
    const { UP, DISCONNECTED, DOWN } = StoreState;
    expect(await states()).toEqual([UP, UP, UP]);
    pd.clock.advance(6_001);
    // PD answers to the keepalive, so it has heard it by then.
    one.received.length = 0;
    one.keepalive();
    await one.next("createPeer");
    expect(await states()).toEqual([UP, DISCONNECTED, DISCONNECTED]);
    // Its other heartbeats are no sign of life.
    await one.heartbeat();
    pd.clock.advance(30 * 60_000 - 1_000);
    await one.heartbeat();
    expect(await states()).toEqual([DISCONNECTED, DOWN, DOWN]);
  });

  test.each([
    ["a foreign cluster", { clusterId: 5n }, "RDB_CLUSTER_MISMATCH"],
    ["a Store that never registered", { storeId: 99n }, "RDB_NOT_FOUND"],
    ["another process", { bootId: 99n }, "RDB_STORE_NOT_MATCH"],
  ])("the word of %s is refused", async (_, change, code) => {
    const store = await registered(7410);
    Object.assign(store, change);
    expect((await refusal(store.heartbeat())).code).toBe(code);
    store.openStream();
    expect(await store.streamEnd()).toMatchObject({ code });
  });

  test("reports that contradict themselves are refused, naming the Region", async () => {
    const { stores, regions } = await bootstrapped();
    const [one, two] = stores;
    const region = regions[0] as Region;
    const report = one.leaderReport(region);
    const { region: _, ...withoutRegion } = report;
    for (const [reports, message] of [
      [[report, report], "regions name region 1 twice"],
      [[two.leaderReport(region)], "has no peer"],
      [[{ ...withoutRegion }], "region is missing in the report of region 1's leader"],
      [[{ ...report, region: { ...region, startKey: key("z") } }], "region 1 holds no key"],
    ] as const) {
      const error = await refusal(one.heartbeat([...reports]));
      expect(error.code).toBe("RDB_INVALID_ARGUMENT");
      expect(error.message).toContain(message);
    }
  });
});

describe("SPEC-M7: where a key is", () => {
  test("the Region, its leader and the Stores of its peers", async () => {
    const { stores, regions } = await bootstrapped();
    const { client } = stores[0];
    const { route, stores: peers } = await client.getRegion({ key: key("apple") });
    expect(route).toMatchObject({
      region: regions[0],
      leader: regions[0]?.peers[0],
      term: 6n,
      approximateSizeBytes: 1_000n,
    });
    expect(peers.map((store) => store.address)).toEqual([
      "127.0.0.1:7410",
      "127.0.0.1:7411",
      "127.0.0.1:7412",
    ]);
    expect((await client.getRegion({ key: key("m") })).route?.region?.id).toBe(2n);
    expect((await client.getRegion({ key: key("m"), before: true })).route?.region?.id).toBe(1n);
    expect((await client.getRegion({ before: true })).route?.region?.id).toBe(2n);
    expect((await client.getRegionById({ regionId: 2n })).route?.region).toEqual(regions[1]);
    expect((await refusal(client.getRegionById({ regionId: 77n }))).code).toBe("RDB_NOT_FOUND");
    expect((await refusal(client.getStore({ storeId: 77n }))).code).toBe("RDB_NOT_FOUND");
    expect((await refusal(client.getRegion({ key: new Uint8Array(4_097) }))).message).toContain(
      "keyMaxBytes is 4096",
    );
  });

  test("Regions come in pages", async () => {
    const { stores } = await bootstrapped();
    const { client } = stores[0];
    const first = await client.listRegions({ limit: 1 });
    expect([first.routes.map((route) => route.region?.id), first.nextKey]).toEqual([[1n], key("m")]);
    const second = await client.listRegions({ limit: 1, startKey: first.nextKey });
    expect([second.routes.map((route) => route.region?.id), second.nextKey]).toEqual([[2n], key("")]);
    expect((await client.listRegions({})).routes).toHaveLength(2);
    expect((await refusal(client.listRegions({ limit: 1_001 }))).message).toContain(
      "limit 1001 must be <= 1000",
    );
  });

  test("SCENARIOS 58: a split is known at once, and what is older changes nothing any more", async () => {
    const { stores, regions } = await bootstrapped();
    const [one] = stores;
    const whole = regions[0] as Region;
    const epoch = { ...whole.epoch, confVer: 1n, version: 2n, $typeName: "rdb.v1.RegionEpoch" } as const;
    const left: Region = { ...whole, endKey: key("f"), epoch };
    const right: Region = {
      ...whole,
      id: 50n,
      startKey: key("f"),
      epoch,
      peers: whole.peers.map((peer) => ({ ...peer, id: peer.id + 50n })),
    };
    one.reports = [one.leaderReport(left), one.leaderReport(right)];
    await one.heartbeat(one.reports);
    const { routes } = await one.client.listRegions({});
    expect(routes.map(({ region }) => region?.id)).toEqual([1n, 50n, 2n]);
    await one.heartbeat([one.leaderReport(whole, 9n)]);
    expect((await one.client.getRegion({ key: key("g") })).route).toMatchObject({ region: right, term: 6n });
  });

  test("ids are consecutive, and never those of Regions and peers that exist", async () => {
    const { regions } = await bootstrapped();
    const client = pd.client();
    const { firstId } = await client.allocateIds({ count: 10 });
    const taken = regions.flatMap((region) => [region.id, ...region.peers.map((peer) => peer.id)]);
    expect(taken.every((id) => id < firstId)).toBe(true);
    expect((await client.allocateIds({ count: 1 })).firstId).toBe(firstId + 10n);
    expect((await refusal(client.allocateIds({}))).message).toContain("count 0 must be 1 to 10000");
  });
});

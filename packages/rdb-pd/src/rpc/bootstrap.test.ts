import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeStore, regionOf } from "../testing/fake-store.ts";
import { refusal, registered, threeStores } from "../testing/pd-cluster.ts";
import { key } from "../testing/regions.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  pd = await TestPd.start({ initialSplitKeys: ["m"] });
});

afterEach(() => pd.close());

describe("SPEC-M1: bootstrap", () => {
  test("with the third Store the initial Regions are placed, and each Store is told to make its peers", async () => {
    const first = await registered(pd, 7410);
    const second = await registered(pd, 7411);
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

    const third = await registered(pd, 7412);
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

  test("the command is repeated with each keepalive until the Region is whole, and never again", async () => {
    const [one, two, three] = await threeStores(pd);
    const region = regionOf(await one.next("createPeer"));
    await one.next("createPeer");
    one.keepalive();
    expect(regionOf(await one.next("createPeer")).id).toBe(region.id);
    await one.next("createPeer");

    await two.next("createPeer");
    const other = regionOf(await two.next("createPeer"));
    two.keepalive([two.leaderReport(region)]);
    expect(regionOf(await two.next("createPeer")).id).toBe(2n);
    // Region 1 is led, and Store 1 was down when the others made their peers: it has to make its own still.
    one.keepalive();
    expect(regionOf(await one.next("createPeer")).id).toBe(1n);
    expect(regionOf(await one.next("createPeer")).id).toBe(2n);
    await three.heartbeat([three.followerReport(region)]);
    one.keepalive([one.followerReport(region)]);
    expect(regionOf(await one.next("createPeer")).id).toBe(2n);
    // Store 2 has made its peer of Region 2; the others are still told to.
    two.keepalive([two.followerReport(other)]);
    one.keepalive();
    expect(regionOf(await one.next("createPeer")).id).toBe(2n);
    await two.heartbeat();
    expect(two.received.filter((command) => command.case === "createPeer")).toEqual([]);

    await pd.restart();
    const again = new FakeStore(pd.client(), one.address);
    Object.assign(again, { storeId: one.storeId, clusterId: one.clusterId });
    again.openStream();
    expect(regionOf(await again.next("createPeer")).id).toBe(2n);
  });

  test("an initial Region that another peer leads is handed to the one that placement meant, once", async () => {
    const [one, two, three] = await threeStores(pd);
    const region = regionOf(await one.next("createPeer"));
    expect(region.peers[0]?.storeId).toBe(one.storeId);
    await three.heartbeat([three.followerReport(region)]);
    two.keepalive([two.leaderReport(region)]);
    // Store 2 is told to make Region 2's peer again after each keepalive, and to hand over nothing before it.
    await two.next("createPeer");
    await two.next("createPeer");
    expect(regionOf(await two.next("createPeer")).id).toBe(2n);
    one.reports = [one.followerReport(region)];
    await one.heartbeat(one.reports);
    two.keepalive();
    const { value } = await two.next("transferLeader");
    expect(value).toMatchObject({ regionId: region.id, epoch: region.epoch, toPeerId: region.peers[0]?.id });
    two.received.length = 0;
    two.keepalive();
    two.keepalive();
    await two.next("createPeer");
    await two.next("createPeer");
    expect(two.received.filter((command) => command.case === "transferLeader")).toEqual([]);
  });

  test("a cluster of one Store has one peer for each Region", async () => {
    await pd.close();
    pd = await TestPd.start({ bootstrapStores: 1 });
    const only = await registered(pd, 7410);
    only.openStream();
    const region = regionOf(await only.next("createPeer"));
    expect(region.peers.map((peer) => peer.storeId)).toEqual([1n]);
    expect([region.startKey, region.endKey]).toEqual([key(""), key("")]);
  });
});

import { StoreState, type Region } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeStore } from "../testing/fake-store.ts";
import { bootstrapped, refusal, registered, threeStores } from "../testing/pd-cluster.ts";
import { key } from "../testing/regions.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  pd = await TestPd.start({ initialSplitKeys: ["m"] });
});

afterEach(() => pd.close());

describe("SPEC-M6: heartbeats", () => {
  test("after PD's start a Store is asked to report everything, and no more once it has", async () => {
    const store = await registered(pd, 7410);
    store.openStream();
    await store.next("reportAll");
    await store.heartbeat();
    await store.closeStream();
    store.received.length = 0;
    store.openStream();
    await store.next("storeList");
    const other = await registered(pd, 7411);
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
    const { stores, regions } = await bootstrapped(pd);
    const [one] = stores;
    one.reports = regions.map((region) => one.followerReport(region));
    expect((await one.heartbeat()).sendRegions).toBe(true);
    expect((await one.heartbeat(one.reports)).sendRegions).toBe(false);
    expect((await one.heartbeat()).sendRegions).toBe(false);
    one.reports = one.reports.slice(1);
    expect((await one.heartbeat()).sendRegions).toBe(true);
  });

  test("health and counts stand in the list of Stores", async () => {
    const { stores } = await bootstrapped(pd);
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

  test("a Store whose keepalives are missing is disconnected after 6 s and down after 10 min", async () => {
    const [one] = await threeStores(pd);
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
    pd.clock.advance(10 * 60_000 - 1_000);
    await one.heartbeat();
    expect(await states()).toEqual([DISCONNECTED, DOWN, DOWN]);
  });

  test.each([
    ["a foreign cluster", { clusterId: 5n }, "RDB_CLUSTER_MISMATCH"],
    ["a Store that never registered", { storeId: 99n }, "RDB_NOT_FOUND"],
    ["another process", { bootId: 99n }, "RDB_STORE_NOT_MATCH"],
  ])("the word of %s is refused", async (_, change, code) => {
    const store = await registered(pd, 7410);
    Object.assign(store, change);
    expect((await refusal(store.heartbeat())).code).toBe(code);
    store.openStream();
    expect(await store.streamEnd()).toMatchObject({ code });
  });

  test("reports that contradict themselves are refused, naming the Region", async () => {
    const { stores, regions } = await bootstrapped(pd);
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

import { create } from "@bufbuild/protobuf";
import { RdbError, assert, peerId, regionId } from "@flaredb/rdb-base";
import {
  PeerRole,
  PeerSchema,
  type Region,
  RegionEpochSchema,
  RegionLoadSchema,
  type RegionReport,
  RegionReportSchema,
  StoreState,
} from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PeerReport } from "../cluster/region-info.ts";
import { StoreActivity } from "../cluster/store-activity.ts";
import { pdLimits } from "../limits.ts";
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

  test("a Store whose stream ends is disconnected until it is heard of again, an older stream's end says nothing", async () => {
    const [one, two] = await threeStores(pd);
    const state = async () => {
      const { status } = await one.client.getStore({ storeId: two.storeId });
      return status?.store?.state;
    };
    expect(await state()).toBe(StoreState.UP);
    await two.closeStream();
    await vi.waitFor(async () => expect(await state()).toBe(StoreState.DISCONNECTED), { timeout: 10_000 });
    two.received.length = 0;
    two.openStream();
    await two.next("storeList");
    expect(await state()).toBe(StoreState.UP);
    two.received.length = 0;
    const older = two.streamEnd();
    two.openStream();
    await two.next("storeList");
    expect(await older).toBeDefined();
    expect(await state()).toBe(StoreState.UP);
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

  const peersOf = (count: number) =>
    Array.from({ length: count }, (_, at) =>
      create(PeerSchema, { id: BigInt(1_000 + at), storeId: BigInt(4 + at), role: PeerRole.VOTER }),
    );
  const MOST = 2n ** 53n - 1n;

  test.each<[string, (report: RegionReport, region: Region) => object, string]>([
    [
      "a hundred thousand peers",
      (report, region) => ({
        ...report,
        region: { ...region, peers: [...region.peers, ...peersOf(100_000)] },
      }),
      "has 100003 peers, peerMaxCount is 64",
    ],
    [
      "a peer twice",
      (_, region) => ({ region: { ...region, peers: [...region.peers, ...region.peers.slice(0, 1)] } }),
      "two peers of the same id",
    ],
    [
      "two peers on a Store",
      (_, { peers: [first, ...others], ...region }) => ({
        region: { ...region, peers: [first, { ...first, id: 77n }, ...others] },
      }),
      "two peers of the same store",
    ],
    ["a size that no disk holds", () => ({ approximateSizeBytes: MOST }), "approximate_size_bytes"],
    ["a size past 2^53", () => ({ approximateSizeBytes: 2n ** 64n - 1n }), "approximate_size_bytes"],
    [
      "an absurd load",
      () => ({ load: create(RegionLoadSchema, { readKeysPerSecond: 2n ** 63n }) }),
      "read_keys_per_second",
    ],
    [
      "ten thousand peers that lag",
      (_, region) => ({ pendingPeerIds: Array.from({ length: 10_000 }, () => region.peers[0]?.id ?? 0n) }),
      "pending_peer_ids are 10000, peerMaxCount is 64",
    ],
    [
      "keys the wrong way around",
      (_, region) => ({ region: { ...region, startKey: key("z"), endKey: key("a") } }),
      "holds no key",
    ],
    ["peer 0", () => ({ peerId: 0n }), "both must be >= 1"],
    ["Region 2^64 - 1", () => ({ regionId: 2n ** 64n - 1n }), "must be an integer"],
    ["term 2^64 - 1", () => ({ term: 2n ** 64n - 1n }), "must be an integer"],
  ])(
    "a registered Store that reports %s is told what is wrong, and nothing changes",
    async (_, lie, message) => {
      const { stores, regions } = await bootstrapped(pd);
      const [one] = stores;
      const region = regions[0] as Region;
      const before = await one.client.listRegions({});
      const report = one.leaderReport(region);
      const absurd = create(RegionReportSchema, { ...report, ...lie(report, region) } as typeof report);
      for (const error of [await refusal(one.heartbeat([absurd])), await streamRefusal(one, absurd)]) {
        expect(error.code).toBe("RDB_INVALID_ARGUMENT");
        expect(error.message).toContain(message);
      }
      expect(await one.client.listRegions({})).toEqual(before);
    },
  );

  test("a peer that lags and is none of the Region's is passed over", async () => {
    const { stores, regions } = await bootstrapped(pd);
    const [one] = stores;
    const region = regions[0] as Region;
    const [, follower] = region.peers;
    const id = follower?.id ?? 0n;
    await one.heartbeat([{ ...one.leaderReport(region), pendingPeerIds: [99n, id, id] }]);
    const { route } = await one.client.getRegionById({ regionId: region.id });
    expect(route?.pendingPeerIds).toEqual([id]);
  });

  async function streamRefusal(store: FakeStore, report: RegionReport): Promise<RdbError> {
    store.openStream();
    store.keepalive([report]);
    const error = await store.streamEnd();
    assert(error instanceof RdbError, "the stream is refused");
    return error;
  }

  test("an epoch or a term further ahead than any Region gets is not believed: nothing true could replace it", async () => {
    const { stores, regions } = await bootstrapped(pd);
    const [one] = stores;
    const region = regions[0] as Region;
    const far = BigInt(pdLimits.leapMax) + 10n;
    const at = (confVer: bigint, version: bigint) => create(RegionEpochSchema, { confVer, version });
    const before = await one.client.listRegions({});
    for (const epoch of [at(1n, far), at(MOST, 1n)]) {
      await one.heartbeat([one.leaderReport({ ...region, epoch })]);
    }
    await one.heartbeat([one.leaderReport(region, far)]);
    await one.heartbeat([one.leaderReport({ ...region, id: 4_000n, epoch: at(1n, far) })]);
    expect(await one.client.listRegions({})).toEqual(before);
    // And what is true is heard still.
    const next = { ...region, epoch: at(1n, 2n), endKey: key("c") };
    await one.heartbeat([one.leaderReport(next, 7n)]);
    expect((await one.client.getRegionById({ regionId: region.id })).route?.region?.endKey).toEqual(key("c"));
  });
});

test("a Store can say of so many Regions that it has peers, and of no more", () => {
  const activity = new StoreActivity();
  const reports = (from: number, count: number): PeerReport[] =>
    Array.from({ length: count }, (_, at) => ({
      regionId: regionId(from + at),
      peerId: peerId(1),
      epoch: { confVer: 1, version: 1 },
      isLeader: false,
    }));
  activity.merge(reports(1, pdLimits.storeReportMaxCount));
  activity.merge(reports(7, 10));
  expect(() => activity.merge(reports(pdLimits.storeReportMaxCount, 2))).toThrow(/storeReportMaxCount/);
  expect(activity.reportCount).toBe(pdLimits.storeReportMaxCount);
});

import { MINUTE_MS, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { reportsDigest } from "@flaredb/rdb-proto";
import { beforeEach, describe, expect, test } from "vitest";
import { registerStore } from "../command/register-store.ts";
import { registerCommand } from "../testing/registration.ts";
import { leaderReport, region } from "../testing/regions.ts";
import { ClusterState } from "./cluster-state.ts";
import { DurableState } from "./durable-state.ts";
import type { PeerReport, Report } from "./region-info.ts";

const one = storeId(1);
const whole = { id: 1, range: "-" };
const noDigest = new Uint8Array(0);

let cluster: ClusterState;

/** As the driver does: what is to be durable first, then the rest. */
function take(...reports: readonly Report[]): string[] {
  for (const each of cluster.routesToRecord(reports)) {
    cluster.durable.putRegion(each);
  }
  return cluster.observe(reports, 5_000).map(({ reason }) => reason);
}

function follower(id: number, store: number): PeerReport & { readonly isLeader: false } {
  return {
    regionId: regionId(id),
    peerId: peerId(id * 100 + store),
    epoch: { confVer: 1, version: 1 },
    isLeader: false,
  };
}

beforeEach(() => {
  const durable = new DurableState();
  for (const port of [7410, 7411, 7412]) {
    registerStore(durable, registerCommand({ address: `127.0.0.1:${port}` }));
  }
  durable.putRegion(region(whole));
  cluster = new ClusterState(durable, 0, () => 10 * MINUTE_MS);
});

describe("SPEC-M6: what leaders report", () => {
  test("a known Region's leader, term and size are noted without a word to the log", () => {
    const report = leaderReport(whole, { store: 2, term: 6, sizeBytes: 42 });
    expect(cluster.routesToRecord([report])).toEqual([]);
    expect(take(report)).toEqual([]);
    expect(cluster.region(regionId(1))?.status).toMatchObject({
      leader: { id: 102, storeId: 2 },
      term: 6,
      approximateSizeBytes: 42,
      reportedMs: 5_000,
    });
  });

  test("SCENARIOS 58: an older term's report is ignored, even at a newer epoch", () => {
    take(leaderReport(whole, { store: 2, term: 7 }));
    const late = leaderReport({ ...whole, confVer: 2 }, { store: 1, term: 6 });
    expect(cluster.routesToRecord([late])).toEqual([]);
    expect(take(late)).toEqual(["term 6 is behind the known 7"]);
    expect(cluster.region(regionId(1))?.status?.leader?.storeId).toBe(2);
  });

  test("SCENARIOS 58: an older epoch's report is ignored, even at a newer term", () => {
    take(leaderReport({ ...whole, confVer: 2 }, { term: 6 }));
    expect(take(leaderReport(whole, { store: 2, term: 9 }))).toEqual(["epoch 1.1 is behind the known 2.1"]);
    expect(cluster.region(regionId(1))?.status).toMatchObject({ term: 6, leader: { storeId: 1 } });
  });

  test("both halves of a split, told at once, are one step", () => {
    const halves = [
      leaderReport({ id: 1, range: "-m", version: 2 }),
      leaderReport({ id: 2, range: "m-", version: 2 }),
    ];
    expect(cluster.routesToRecord(halves).map((each) => each.id)).toEqual([1, 2]);
    expect(take(...halves)).toEqual([]);
    expect(cluster.ledRegionCount(0)).toBe(0);
    cluster.heard(one, { monotonicMs: 0, wallMs: 0 });
    expect(cluster.ledRegionCount(0)).toBe(2);
  });

  test("a Region that a newer one replaced is forgotten with its status", () => {
    take(leaderReport({ id: 1, range: "-m", version: 2 }), leaderReport({ id: 2, range: "m-", version: 2 }));
    take(leaderReport({ id: 1, range: "-", version: 3 }));
    expect(cluster.region(regionId(2))).toBeUndefined();
    cluster.heard(one, { monotonicMs: 0, wallMs: 0 });
    expect(cluster.ledRegionCount(0)).toBe(1);
  });

  test("an initial Region goes to the log when it is led and every peer was reported, and only then", () => {
    const report = leaderReport(whole);
    const { region } = report;
    take(report);
    cluster.durable.setForming(regionId(1), true);
    const others = region.peers.filter(({ id }) => id !== report.peerId);
    expect(others).toHaveLength(2);
    expect(cluster.routesToRecord([report])).toEqual([]);
    take(report);
    for (const [place, peer] of others.entries()) {
      const told = { ...follower(1, peer.storeId), peerId: peer.id };
      expect(cluster.routesToRecord([told])).toEqual(place === others.length - 1 ? [region] : []);
      cluster.activity(peer.storeId).merge([told]);
      cluster.activity(storeId(report.storeId)).merge([report]);
    }
    expect(cluster.routesToRecord([report])).toEqual([region]);
    cluster.durable.setForming(regionId(1), false);
    expect(cluster.routesToRecord([report])).toEqual([]);
  });

  test("an initial Region that nobody leads is not whole", () => {
    const { region } = leaderReport(whole);
    cluster.durable.setForming(regionId(1), true);
    const reports = region.peers.map((peer) => ({ ...follower(1, peer.storeId), peerId: peer.id }));
    expect(cluster.routesToRecord(reports)).toEqual([]);
  });

  test("who says that it follows leads no more; another peer's word changes nothing", () => {
    take(leaderReport(whole, { store: 1 }));
    cluster.steppedDown([follower(1, 2)]);
    expect(cluster.region(regionId(1))?.status?.leader?.storeId).toBe(1);
    cluster.steppedDown([follower(1, 1)]);
    expect(cluster.region(regionId(1))?.status?.leader).toBeUndefined();
  });

  test("a new process of a Store leads nothing that the old one led", () => {
    const before = cluster.durable.stores.get(one);
    expect(before).toBeDefined();
    if (before !== undefined) {
      cluster.registered(before);
      take(leaderReport(whole, { store: 1 }));
      cluster.registered(before);
      expect(cluster.region(regionId(1))?.status?.leader?.storeId).toBe(1);
      cluster.registered({ ...before, bootId: 99n });
      expect(cluster.region(regionId(1))?.status?.leader).toBeUndefined();
    }
  });
});

describe("SPEC-M6: a Store's reports and its digest", () => {
  const both = [follower(1, 1), follower(2, 1)];

  test("the whole list makes both sides agree, and a digest alone keeps it so", () => {
    const activity = cluster.activity(one);
    expect(activity.reconcile([], reportsDigest(both))).toBe(false);
    expect(activity.reconcile(both, reportsDigest(both))).toBe(true);
    expect(activity.reconcile([], reportsDigest(both))).toBe(true);
  });

  test("changes told on the stream count", () => {
    const activity = cluster.activity(one);
    activity.reconcile(both, reportsDigest(both));
    const changed = { ...follower(2, 1), epoch: { confVer: 2, version: 1 } };
    activity.merge([changed]);
    expect(activity.reconcile([], reportsDigest([follower(1, 1), changed]))).toBe(true);
    expect(activity.reconcile([], reportsDigest(both))).toBe(false);
  });

  test("some Regions and the digest of all are agreement when the rest is known", () => {
    const activity = cluster.activity(one);
    activity.reconcile([follower(1, 1)], reportsDigest([follower(1, 1)]));
    expect(activity.reconcile([follower(2, 1)], reportsDigest(both))).toBe(true);
  });

  test("a Region that is gone from the Store shows, and the whole list removes it", () => {
    const activity = cluster.activity(one);
    activity.reconcile(both, reportsDigest(both));
    const left = [follower(1, 1)];
    expect(activity.reconcile([], reportsDigest(left))).toBe(false);
    expect(activity.reconcile(left, reportsDigest(left))).toBe(true);
    expect(activity.report(regionId(2))).toBeUndefined();
  });

  test("a Store without Regions agrees with an empty list; no digest at all is no agreement", () => {
    expect(cluster.activity(one).reconcile([], reportsDigest([]))).toBe(true);
    expect(cluster.activity(storeId(2)).reconcile([], noDigest)).toBe(false);
  });
});

test("SPEC-M6: Stores are listed with their condition and the counts of their Regions and leaders", () => {
  cluster.durable.putRegion(region({ id: 1, range: "-m", version: 2 }));
  cluster.durable.putRegion(region({ id: 2, range: "m-", version: 2, stores: [2, 3] }));
  take(leaderReport({ id: 2, range: "m-", version: 2, stores: [2, 3] }, { store: 2 }));
  cluster.heard(one, { monotonicMs: 100, wallMs: 9_000 });
  registerStore(cluster.durable, registerCommand({ address: "127.0.0.1:7412", registrationToken: "x" }, [3]));
  expect(
    cluster
      .countedStoreViews(200)
      .map(({ store, condition, lastHeardMs, regionCount, leaderCount }) => [
        store.id,
        condition,
        lastHeardMs,
        regionCount,
        leaderCount,
      ]),
  ).toEqual([
    [1, "Up", 9_000, 1, 0],
    [2, "Disconnected", 0, 2, 1],
    [3, "Tombstone", 0, 2, 0],
    [4, "Disconnected", 0, 0, 0],
  ]);
  expect(cluster.upStoreIds(200)).toEqual([1]);
  expect(cluster.silentStoreIds(200)).toEqual([]);
  for (let now = 0; now <= 6_000; now += 1_000) {
    cluster.liveness.pulse(now);
  }
  expect(cluster.silentStoreIds(6_001)).toEqual([2, 4]);
});

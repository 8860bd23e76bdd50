import { MINUTE_MS, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, test } from "vitest";
import { ClusterState } from "../cluster/cluster-state.ts";
import { DurableState } from "../cluster/durable-state.ts";
import type { LeaderReport } from "../cluster/region-info.ts";
import { leaderReport, region } from "../testing/regions.ts";
import { InitialLeaderSpread } from "./initial-leader-spread.ts";

const id = regionId(1);
const sketch = { id: 1, range: "-", stores: [1, 2, 3] };
const epoch = { confVer: 1, version: 1 };

let cluster: ClusterState;
let spread: InitialLeaderSpread;

/** Store 2 leads, and store 1, which was meant to, has reported its peer and is up. */
beforeEach(() => {
  const durable = new DurableState();
  durable.putRegion(region(sketch));
  cluster = new ClusterState(durable, 0, () => 10 * MINUTE_MS);
  spread = new InitialLeaderSpread();
  spread.add(id);
  cluster.observe([leaderReport(sketch, { store: 2 })], 0);
  cluster.activity(storeId(1)).merge([{ regionId: id, peerId: peerId(101), epoch, isLeader: false }]);
  cluster.heard(storeId(1), { monotonicMs: 0, wallMs: 0 });
});

function moves(store: number): number[] {
  return spread.movesFrom(storeId(store), cluster, 0).map(({ to }) => to.id);
}

describe("the leaders of initial Regions", () => {
  test("are handed to the peer that placement meant, once", () => {
    expect(moves(2)).toEqual([101]);
    expect(moves(2)).toEqual([]);
  });

  test("are asked of the Store that leads, not of another", () => {
    expect(moves(3)).toEqual([]);
    expect(moves(2)).toEqual([101]);
  });

  test("stay where they are once the right peer leads", () => {
    cluster.observe([leaderReport(sketch, { store: 1, term: 7 })], 0);
    expect(moves(1)).toEqual([]);
    cluster.observe([leaderReport(sketch, { store: 2, term: 8 })], 0);
    expect(moves(2)).toEqual([]);
  });

  test("are not moved when the Region changed since", () => {
    cluster.durable.putRegion(region({ ...sketch, confVer: 2 }));
    cluster.observe([leaderReport({ ...sketch, confVer: 2 }, { store: 2 })], 0);
    expect(moves(2)).toEqual([]);
  });

  test.each<[string, () => void]>([
    ["its Store did not report it", () => cluster.activity(storeId(1)).reset(5n)],
    ["it is down", () => behind({ downPeerIds: [peerId(101)] })],
    ["it is behind", () => behind({ pendingPeerIds: [peerId(101)] })],
  ])("are not moved to a peer while %s", (_, spoil) => {
    spoil();
    expect(moves(2)).toEqual([]);
    cluster.activity(storeId(1)).merge([{ regionId: id, peerId: peerId(101), epoch, isLeader: false }]);
    behind({});
    expect(moves(2)).toEqual([101]);
  });

  test("are not moved to a Store that is silent", () => {
    expect(spread.movesFrom(storeId(2), cluster, 6_001)).toEqual([]);
  });
});

function behind(change: Partial<LeaderReport>): void {
  cluster.observe([{ ...leaderReport(sketch, { store: 2 }), ...change }], 0);
}

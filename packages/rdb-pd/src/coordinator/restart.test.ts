import { assert } from "@flaredb/rdb-base";
import { PeerRole } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { FakeStore } from "../testing/fake-store.ts";
import { fourStores, reportAll } from "../testing/pd-cluster.ts";
import { RegionActor, obey } from "../testing/region-actor.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  // Nothing is moved for balance alone.
  pd = await TestPd.start({ initialSplitKeys: ["m"], placement: { regionLimit: 0 } });
});

afterEach(() => pd.close());

/** The same Store on a stream to the PD that runs now. */
function again(store: FakeStore): FakeStore {
  const reconnected = new FakeStore(pd.client(), store.address, store.bootId);
  Object.assign(reconnected, { storeId: store.storeId, clusterId: store.clusterId });
  reconnected.openStream();
  return reconnected;
}

describe("SPEC-C1, SPEC-M7: whatever a restart of PD leaves half done is put right", () => {
  test.each([
    [1, "a learner"],
    [2, "a joint configuration"],
    [3, "a voter that became a learner"],
  ])("after %i steps of a move: %s", async (stepCount) => {
    const { stores, actors } = await fourStores(pd);
    const [moved, other] = actors;
    assert(moved !== undefined && other !== undefined, "there are two Regions");
    await pd.adminClient().movePeer({ regionId: 1n, fromStoreId: 2n, toStoreId: 4n });
    for (let step = 0; step < stepCount; step++) {
      await moved.act();
    }
    await pd.restart();
    const back = stores.map(again);
    const actorsNow = [moved, other].map(({ region, leader }) => {
      const store = back.find(({ storeId }) => storeId === leader.storeId);
      assert(store !== undefined, "the leader's Store is back");
      return new RegionActor(back, region, store);
    });
    obey(back, actorsNow);
    for (const store of back) {
      await reportAll(store, actorsNow);
    }
    actorsNow.forEach((actor) => actor.report());
    const isWhole = (): boolean =>
      actorsNow.every(
        ({ region }) =>
          region.peers.length === 3 && region.peers.every(({ role }) => role === PeerRole.VOTER),
      );
    while (!isWhole()) {
      pd.clock.advance(pdLimits.operatorTickMs);
      back.forEach((store) => store.keepalive());
      await pd.client().getClusterInfo({});
    }
    const { operators } = await pd.adminClient().listOperatorHistory({ regionId: 1n });
    expect(operators.some(({ endReason }) => endReason === "pd-restarted")).toBe(true);
  });
});

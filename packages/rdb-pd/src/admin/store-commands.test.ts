import type { Client } from "@connectrpc/connect";
import { OperatorState, type PdAdminService, StoreState } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import type { FakeStore } from "../testing/fake-store.ts";
import { fourStores, refusal, reportAll } from "../testing/pd-cluster.ts";
import { type RegionActor, obey } from "../testing/region-actor.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;
let admin: Client<typeof PdAdminService>;
let stores: readonly FakeStore[];
let actors: readonly RegionActor[];

beforeEach(async () => {
  // Nothing is moved for balance alone.
  pd = await TestPd.start({ initialSplitKeys: ["m"], placement: { regionLimit: 0 } });
  admin = pd.adminClient();
  ({ stores, actors } = await fourStores(pd));
});

afterEach(() => pd.close());

async function statusOf(storeId: bigint) {
  const { status } = await pd.client().getStore({ storeId });
  return status;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    pd.clock.advance(pdLimits.operatorTickMs);
    stores.forEach((store) => store.keepalive());
  }
}

describe("SPEC-M7: Stores that people empty", () => {
  test("its peers go to others, it says that it has none left, and it is gone for good", async () => {
    obey(stores, actors);
    const { status } = await admin.decommissionStore({ storeId: 2n });
    expect(status?.store?.state).toBe(StoreState.DRAINING);
    await until(async () => (await statusOf(2n))?.regionCount === 0);
    for (const { region } of actors) {
      expect(new Set(region.peers.map(({ storeId }) => storeId))).toEqual(new Set([1n, 3n, 4n]));
    }
    // Destroying what it had takes it a while: it is asked.
    const [, drained] = stores;
    await drained?.next("reportAll");
    expect((await statusOf(2n))?.store?.state).toBe(StoreState.DRAINING);
    await reportAll(drained as FakeStore, actors);
    await until(async () => (await statusOf(2n))?.store?.state === StoreState.TOMBSTONE);
    expect((await refusal((drained as FakeStore).heartbeat())).message).toContain(
      "store 2 is gone for good: it was decommissioned",
    );
    await pd.restart();
    expect((await statusOf(2n))?.store?.state).toBe(StoreState.TOMBSTONE);
  });

  test("the wish outlives PD, and can be taken back", async () => {
    await admin.decommissionStore({ storeId: 2n });
    expect((await refusal(admin.decommissionStore({ storeId: 2n }))).code).toBe("RDB_ALREADY_EXISTS");
    await pd.restart();
    admin = pd.adminClient();
    expect((await refusal(admin.decommissionStore({ storeId: 2n }))).code).toBe("RDB_ALREADY_EXISTS");
    expect((await admin.cancelDecommission({ storeId: 2n })).status?.store?.state).not.toBe(
      StoreState.DRAINING,
    );
    expect((await refusal(admin.cancelDecommission({ storeId: 2n }))).message).toBe(
      "store 2 is not being decommissioned",
    );
  });

  test("no more of them than leave a Store for each peer; one that has none may go", async () => {
    await admin.decommissionStore({ storeId: 4n });
    const error = await refusal(admin.decommissionStore({ storeId: 2n }));
    expect(error.code).toBe("RDB_INVALID_ARGUMENT");
    expect(error.message).toContain(
      "store 2 has 2 peers and only 2 other stores could take them, 3 replicas are wanted",
    );
    expect((await refusal(admin.decommissionStore({ storeId: 9n }))).code).toBe("RDB_NOT_FOUND");
  });
});

describe("what people say of Stores", () => {
  test("labels count over those that the Store brings, now and when it registers again", async () => {
    const set = await admin.setStoreLabels({ storeId: 1n, labels: { zone: "a", host: "h1" } });
    expect(set.status?.store?.labels).toEqual({ zone: "a", host: "h1" });
    const taken = await admin.setStoreLabels({ storeId: 1n, labels: { host: "" } });
    expect(taken.status?.store?.labels).toEqual({ zone: "a" });
    const [one] = stores;
    const { storeId, clusterId, clusterVersion, address } = one as FakeStore;
    await pd.client().registerStore({
      ...{ storeId, clusterId, clusterVersion, address },
      ...{ bootId: 2n, labels: { host: "own", rack: "r" } },
    });
    expect((await statusOf(1n))?.store?.labels).toEqual({ zone: "a", rack: "r" });
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`label${at}`, "x"]));
    expect((await refusal(admin.setStoreLabels({ storeId: 1n, labels: many }))).message).toContain(
      "labelMaxCount is 32",
    );
  });

  test("limits of a Store hold operators back, outlive PD, and go back to those of all", async () => {
    const set = await admin.setStoreLimits({ storeId: 4n, addLimit: 1 });
    expect(set.status?.limits).toMatchObject({ addLimit: 1, isOwnAddLimit: true, removeLimit: 15 });
    await pd.restart();
    admin = pd.adminClient();
    expect((await statusOf(4n))?.limits).toMatchObject({ addLimit: 1, isOwnRemoveLimit: false });
    expect((await statusOf(1n))?.limits).toMatchObject({ addLimit: 15, isOwnAddLimit: false });
    const reset = await admin.setStoreLimits({ storeId: 4n, addLimit: 0, removeLimit: 3 });
    expect(reset.status?.limits).toMatchObject({ addLimit: 15, isOwnAddLimit: false, removeLimit: 3 });
    const wrong = await refusal(admin.setStoreLimits({ storeId: 4n, addLimit: 10_001 }));
    expect([wrong.code, wrong.message]).toEqual(["RDB_INVALID_ARGUMENT", "the limit 10001 must be <= 10000"]);
    expect((await refusal(admin.setStoreLimits({ storeId: 9n, addLimit: 1 }))).code).toBe("RDB_NOT_FOUND");
  });

  test("a Store that is at its limit takes its next peer when it has the one before", async () => {
    await admin.setStoreLimits({ storeId: 4n, addLimit: 1 });
    const first = await admin.addPeer({ regionId: 1n, storeId: 4n });
    const second = await admin.addPeer({ regionId: 2n, storeId: 4n });
    expect([first.operator?.state, second.operator?.state]).toEqual([
      OperatorState.RUNNING,
      OperatorState.WAITING,
    ]);
    expect((await statusOf(4n))?.limits).toMatchObject({ addingCount: 2 });
    await admin.cancelOperator({ operatorId: first.operator?.id ?? 0n });
    await until(async () => {
      const { operator } = await admin.getOperator({ operatorId: second.operator?.id ?? 0n });
      return operator?.state === OperatorState.RUNNING;
    });
  });

  test("a Store that is to lead nothing hands its leaderships away, until that is taken back", async () => {
    obey(stores, actors);
    expect((await admin.evictLeaders({ storeId: 1n })).status?.evictsLeaders).toBe(true);
    await until(async () => (await statusOf(1n))?.leaderCount === 0);
    expect(actors.every(({ leader }) => leader.storeId !== 1n)).toBe(true);
    const { operators } = await admin.listOperatorHistory({});
    expect(operators.map(({ origin }) => origin)).toContain("evict-leader");
    expect((await refusal(admin.transferRegionLeader({ regionId: 1n, toStoreId: 1n }))).message).toContain(
      "hands its leaderships away",
    );
    expect((await admin.evictLeaders({ storeId: 1n, stop: true })).status?.evictsLeaders).toBe(false);
  });
});

import type { Client } from "@connectrpc/connect";
import { assert } from "@flaredb/rdb-base";
import { OperatorState, type PdAdminService, type Region } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fourStores, refusal } from "../testing/pd-cluster.ts";
import type { RegionActor } from "../testing/region-actor.ts";
import { key } from "../testing/regions.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;
let admin: Client<typeof PdAdminService>;
let left: RegionActor;
let right: RegionActor;

beforeEach(async () => {
  // Nothing is moved for balance alone, and nothing repaired.
  pd = await TestPd.start({ initialSplitKeys: ["m"], placement: { regionLimit: 0, replicaLimit: 0 } });
  admin = pd.adminClient();
  const { actors } = await fourStores(pd);
  const [first, second] = actors;
  assert(first !== undefined && second !== undefined, "there are two Regions");
  [left, right] = [first, second];
});

afterEach(() => pd.close());

async function ended(operatorId: bigint | undefined) {
  for (;;) {
    const { operator } = await admin.getOperator({ operatorId: operatorId ?? 0n });
    assert(operator !== undefined, "an operator is answered");
    if (operator.endedMs > 0n) {
      return operator;
    }
  }
}

const atVersion = (region: Region, version: bigint): Region["epoch"] => ({
  $typeName: "rdb.v1.RegionEpoch",
  confVer: region.epoch?.confVer ?? 0n,
  version,
});

describe("SPEC-S1, SPEC-M7: people split Regions", () => {
  test("the keys go to the leader in their order, and the split Region ends it", async () => {
    const { operator } = await admin.splitRegionAt({ regionId: 1n, keys: [key("f"), key("c")] });
    const order = await left.leader.nextOrder();
    expect(order.command).toMatchObject({
      case: "splitRegion",
      value: { regionId: 1n, keys: [key("c"), key("f")], partCount: 3 },
    });
    const { region } = left;
    const child = (id: bigint, startKey: string, endKey: string): Region => ({
      ...region,
      id,
      startKey: key(startKey),
      endKey: key(endKey),
      epoch: atVersion(region, 3n),
      peers: region.peers.map((peer) => ({ ...peer, id: peer.id + id * 100n })),
    });
    const parts = [
      { ...region, endKey: key("c"), epoch: atVersion(region, 3n) },
      child(70n, "c", "f"),
      child(71n, "f", "m"),
    ];
    left.leader.keepalive(parts.map((part) => left.leader.leaderReport(part as Region)));
    expect((await ended(operator?.id)).state).toBe(OperatorState.DONE);
    const { routes } = await pd.client().listRegions({});
    expect(routes.map((route) => route.region?.id)).toEqual([1n, 70n, 71n, 2n]);
  });

  test.each([
    [{ keys: [key("x")] }, "key x does not cut region 1"],
    [{ keys: [key("")] }, "does not cut region 1"],
    [{ keys: [key("c"), key("c")] }, "key c is named twice"],
    [{ keys: [key("c")], partCount: 3 }, "keys and part_count exclude each other"],
    [{ partCount: 1 }, "part_count 1 must be >= 2"],
    [{ partCount: 66 }, "at most 64 keys, 65 parts"],
  ])("%o is refused: %s", async (request, message) => {
    const error = await refusal(admin.splitRegionAt({ regionId: 1n, ...request }));
    expect(error.code).toBe("RDB_INVALID_ARGUMENT");
    expect(error.message).toContain(message);
  });
});

describe("SPEC-M7: people merge Regions", () => {
  test("the neighbour that takes it is told, and both have the operator until the range is its own", async () => {
    const { operator } = await admin.mergeRegions({ regionId: 1n });
    const order = await left.leader.nextOrder();
    expect(order.command).toMatchObject({
      case: "mergeRegion",
      value: { regionId: 1n, target: { id: 2n, startKey: key("m") } },
    });
    const busy = await refusal(admin.removePeer({ regionId: 2n, storeId: 1n }));
    expect([busy.code, busy.message]).toEqual([
      "RDB_SERVER_IS_BUSY",
      `region 2 has operator ${operator?.id} (merge by admin): wait for it, or cancel it`,
    ]);
    right.region = { ...right.region, startKey: key(""), epoch: atVersion(right.region, 3n) as never };
    right.report();
    expect((await ended(operator?.id)).state).toBe(OperatorState.DONE);
    expect((await pd.client().listRegions({})).routes.map((route) => route.region?.id)).toEqual([2n]);
  });

  test("not while a peer of it is damaged or down: a merge needs every one", async () => {
    const peer = left.region.peers.find(({ storeId }) => storeId !== left.leader.storeId);
    left.damagedPeerIds = [peer?.id ?? 0n];
    left.report();
    const told = async (): Promise<boolean> => {
      const { route } = await pd.client().getRegionById({ regionId: 1n });
      return route?.damagedPeerIds.length === 1;
    };
    while (!(await told())) {
      // Until the report is there.
    }
    const error = await refusal(admin.mergeRegions({ regionId: 1n }));
    expect(error.code).toBe("RDB_INVALID_ARGUMENT");
    expect(error.message).toBe(
      `peer ${peer?.id} of region 1 on store ${peer?.storeId} is down or damaged: a merge needs every peer, merge once it is replaced`,
    );
    expect(left.leader.orderCount).toBe(0);
  });

  test("only a neighbour can take it", async () => {
    await admin.cancelOperator({
      operatorId: (await admin.splitRegionAt({ regionId: 1n })).operator?.id ?? 0n,
    });
    const error = await refusal(admin.mergeRegions({ regionId: 1n, targetRegionId: 1n }));
    expect(error.message).toContain("does not touch region 1");
    expect((await refusal(admin.mergeRegions({ regionId: 9n }))).code).toBe("RDB_NOT_FOUND");
  });
});

test("peers are compared when people want that", async () => {
  const { verifiedIndexBefore } = await admin.checkReplicas({ regionId: 1n });
  expect(verifiedIndexBefore).toBe(0n);
  expect((await left.leader.next("checkRegion")).value.regionId).toBe(1n);
  await left.leader.closeStream();
  expect((await refusal(admin.checkReplicas({ regionId: 1n }))).code).toBe("RDB_UNAVAILABLE");
});

test("Regions are scattered as if they were placed anew; those that lie well get no operator", async () => {
  const { operators } = await admin.scatterRegions({ regionIds: [1n, 2n, 2n] });
  for (const operator of operators) {
    expect(operator).toMatchObject({ kind: "scatter", origin: "admin" });
  }
  expect(operators.length).toBeLessThanOrEqual(2);
  const motives = operators.map(({ motive }) => motive);
  expect(motives.some((motive) => motive.includes("4"))).toBe(true);
  expect((await refusal(admin.scatterRegions({ regionIds: [1n, 9n] }))).code).toBe("RDB_NOT_FOUND");
  const tooMany = Array.from({ length: 1_001 }, () => 1n);
  expect((await refusal(admin.scatterRegions({ regionIds: tooMany }))).message).toContain(
    "scatterMaxCount is 1000",
  );
});

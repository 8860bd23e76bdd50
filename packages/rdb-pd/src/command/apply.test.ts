import { type RdbError, regionId, storeId } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, test } from "vitest";
import { DurableState } from "../cluster/durable-state.ts";
import { rangesFromSplitKeys } from "../cluster/initial-regions.ts";
import { pdLimits } from "../limits.ts";
import { operatorRecord } from "../testing/operator-record.ts";
import { registerCommand } from "../testing/registration.ts";
import { key, region } from "../testing/regions.ts";
import { applyCommand } from "./apply.ts";
import type { ClusterConfig, PdCommand } from "./command.ts";

const config: ClusterConfig = {
  bootstrapStoreCount: 3,
  replicaCount: 3,
  initialRanges: rangesFromSplitKeys([key("m")]),
};
const stores = [1, 2, 3].map(storeId);
const place: PdCommand = { kind: "PlaceInitialRegions", storeIds: stores };

let state: DurableState;

function apply(...commands: readonly PdCommand[]): unknown {
  return commands.map((command) => applyCommand(state, command)).at(-1);
}

function registerStores(count: number): void {
  for (let at = 0; at < count; at++) {
    apply(registerCommand({ address: `127.0.0.1:${7410 + at}` }));
  }
}

beforeEach(() => {
  state = new DurableState();
});

test("a cluster gets its id once", () => {
  expect(apply({ kind: "InitializeCluster", clusterId: 77 })).toEqual({ clusterId: 77 });
  expect(apply({ kind: "InitializeCluster", clusterId: 78 })).toEqual({ clusterId: 77 });
});

test("leases of ids follow one another and never meet", () => {
  expect(apply({ kind: "LeaseIds", count: 1_000 })).toEqual({ firstId: 1 });
  expect(apply({ kind: "LeaseIds", count: 10 })).toEqual({ firstId: 1_001 });
  expect(apply({ kind: "LeaseIds", count: 1 })).toEqual({ firstId: 1_011 });
});

describe("SPEC-M1: the initial Regions", () => {
  test("are placed once, with ids of the sequence, and await their first leaders", () => {
    registerStores(3);
    apply({ kind: "ConfigureCluster", config }, place);
    expect(state.cluster).toMatchObject({ bootstrapped: true, nextId: 9 });
    expect(state.regions.all().map((each) => each.id)).toEqual([1, 2]);
    expect([...state.forming]).toEqual([1, 2]);
    expect(apply(place)).toEqual({ regions: [] });
    expect(state.cluster.nextId).toBe(9);
  });

  test("take ids behind what was leased before", () => {
    registerStores(3);
    apply({ kind: "LeaseIds", count: 1_000 }, { kind: "ConfigureCluster", config }, place);
    expect(state.regions.all().map((each) => each.id)).toEqual([1_001, 1_002]);
  });

  test("are not placed on too few Stores, on unknown ones, or on one that is gone", () => {
    registerStores(3);
    apply({ kind: "ConfigureCluster", config });
    const refused = (storeIds: readonly number[]): unknown => {
      try {
        return apply({ kind: "PlaceInitialRegions", storeIds: storeIds.map(storeId) });
      } catch (error) {
        return (error as RdbError).code;
      }
    };
    expect(refused([1, 2])).toBe("RDB_CLUSTER_NOT_BOOTSTRAPPED");
    expect(refused([1, 2, 9])).toBe("RDB_NOT_FOUND");
    apply(registerCommand({ registrationToken: "successor of store 1" }, [1]));
    expect(refused([1, 2, 3])).toBe("RDB_NOT_FOUND");
    expect(state.cluster).toMatchObject({ bootstrapped: false, nextId: 1 });
    expect(apply({ kind: "PlaceInitialRegions", storeIds: [2, 3, 4].map(storeId) })).toMatchObject({
      regions: [{ id: 1 }, { id: 2 }],
    });
  });

  test("once placed, another configuration changes nothing", () => {
    registerStores(3);
    apply({ kind: "ConfigureCluster", config }, place);
    const other = { ...config, initialRanges: rangesFromSplitKeys([]) };
    expect(apply({ kind: "ConfigureCluster", config: other })).toEqual({ config });
  });

  test("a leader's first report ends the waiting, and only that Region's", () => {
    registerStores(3);
    apply({ kind: "ConfigureCluster", config }, place);
    const first = state.regions.get(regionId(1));
    const regions = first === undefined ? [] : [first];
    expect(apply({ kind: "UpdateRoutes", regions })).toEqual({ accepted: [1] });
    expect([...state.forming]).toEqual([2]);
  });

  test("an initial Region that a newer one replaced awaits nobody", () => {
    registerStores(3);
    apply({ kind: "ConfigureCluster", config }, place);
    apply({ kind: "UpdateRoutes", regions: [region({ id: 1, range: "-", version: 5 })] });
    expect([...state.forming]).toEqual([]);
  });
});

test("SPEC-M7: routes are taken when they are news and ignored when they are stale", () => {
  const newer = region({ id: 1, range: "-m", version: 2 });
  expect(apply({ kind: "UpdateRoutes", regions: [newer, region({ id: 1, range: "-" })] })).toEqual({
    accepted: [1],
  });
  expect(state.regions.get(newer.id)).toEqual(newer);
});

describe("SPEC-M7: what people want of Stores is durable", () => {
  const wish = (change: object): PdCommand => ({
    ...{ kind: "SetStore", storeId: storeId(1), isDraining: undefined, evictsLeaders: undefined, labels: {} },
    ...change,
  });

  beforeEach(() => {
    registerStores(3);
    apply({ kind: "ConfigureCluster", config }, place);
  });

  test("what is not named stays as it is", () => {
    apply(wish({ isDraining: true }), wish({ evictsLeaders: true }), wish({ labels: { zone: "a" } }));
    expect(state.stores.get(storeId(1))).toMatchObject({ isDraining: true, evictsLeaders: true });
    expect(state.stores.get(storeId(1))?.labels).toEqual({ host: "a", zone: "a" });
    apply(registerCommand({ storeId: storeId(1), bootId: 99n, labels: { zone: "own" } }));
    expect(state.stores.get(storeId(1))).toMatchObject({ isDraining: true, labels: { zone: "a" } });
  });

  test("only a drained Store without peers is buried", () => {
    const bury: PdCommand = { kind: "BuryStore", storeId: storeId(1) };
    expect(() => apply(bury)).toThrow("store 1 is not being decommissioned");
    apply(wish({ isDraining: true }));
    expect(() => apply(bury)).toThrow("store 1 has a peer of region 1 still");
    const elsewhere = [...state.regions.all()].map((each) => ({
      ...each,
      epoch: { ...each.epoch, confVer: 2 },
      peers: each.peers.filter((peer) => peer.storeId !== 1),
    }));
    apply({ kind: "UpdateRoutes", regions: elsewhere }, bury);
    expect(state.stores.get(storeId(1))).toMatchObject({ isTombstone: true, replacedBy: undefined });
    expect(() => apply(bury)).toThrow("store 1 is gone for good");
    expect(() => apply(registerCommand({ storeId: storeId(1) }))).toThrow(
      expect.objectContaining({
        code: "RDB_STORE_DECOMMISSIONED",
        message: expect.stringContaining("it was decommissioned"),
      }),
    );
  });
});

test("operators that run are all kept, of those that ended the last", () => {
  const { operatorHistoryMaxCount } = pdLimits;
  apply({ kind: "RecordOperators", operators: [operatorRecord(1, "Running"), operatorRecord(2, "Waiting")] });
  for (let id = 3; id < operatorHistoryMaxCount + 10; id++) {
    apply({ kind: "RecordOperators", operators: [operatorRecord(id, "Running")] });
    apply({ kind: "RecordOperators", operators: [operatorRecord(id, "Done")] });
  }
  const ids = [...state.operators.keys()];
  expect(ids.slice(0, 3)).toEqual([1, 2, 10]);
  expect(ids).toHaveLength(operatorHistoryMaxCount + 2);
});

import { create } from "@bufbuild/protobuf";
import {
  GetClusterInfoResponseSchema,
  PeerRole,
  RegionRouteSchema,
  StoreState,
  StoreStatusSchema,
} from "@flaredb/rdb-proto";
import { describe, expect, test } from "vitest";
import { readClock } from "./ask-health.ts";
import {
  checkClocks,
  checkDisks,
  checkPd,
  checkReachable,
  checkStores,
  checkVersions,
} from "./check-processes.ts";
import { checkCoverage, checkLag, checkLeaders, checkPeers } from "./check-regions.ts";
import type { ClockReading, ClusterFacts, Finding, ProcessAnswer } from "./facts.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const GIB = 1024n ** 3n;

function route(id: number, range: readonly [string, string], others: object = {}) {
  const peers = [1n, 2n, 3n].map((storeId) => ({
    id: BigInt(id) * 10n + storeId,
    storeId,
    role: PeerRole.VOTER,
  }));
  return create(RegionRouteSchema, {
    region: { id: BigInt(id), startKey: utf8(range[0]), endKey: utf8(range[1]), peers },
    ...(peers[0] && { leader: peers[0] }),
    ...others,
  });
}

function store(id: number, state: StoreState = StoreState.UP, stats: object = {}) {
  return create(StoreStatusSchema, {
    store: { id: BigInt(id), state, programVersion: "0.1.0" },
    stats: { capacityBytes: 100n * GIB, availableBytes: 50n * GIB, ...stats },
  });
}

function member(id: number, others: object = {}) {
  return { id: BigInt(id), name: `pd-${id}`, isUp: true, ...others };
}

function answer(name: string, others: Partial<ProcessAnswer> = {}): ProcessAnswer {
  const clock = { leastMs: -1_000, mostMs: 1_000 };
  return { name, httpAddress: "h:1", failure: undefined, status: "ok", version: undefined, clock, ...others };
}

const clusterInfo = { bootstrapped: true, upStoreCount: 3, programVersion: "0.1.0", leaderMemberId: 1n };

function facts(others: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    info: create(GetClusterInfoResponseSchema, {
      ...clusterInfo,
      members: [member(1), member(2), member(3)],
    }),
    stores: [store(1), store(2), store(3)],
    routes: [route(1, ["", "m"]), route(2, ["m", ""])],
    replicaCount: 3,
    processes: [answer("PD member pd-1", { version: "0.1.0" }), answer("Store 1")],
    ...others,
  };
}

const info = (others: object) => ({
  info: create(GetClusterInfoResponseSchema, { ...clusterInfo, ...others }),
});

type Check = (of: ClusterFacts) => Finding;

const all: readonly Check[] = [
  ...[checkPd, checkStores, checkDisks, checkVersions, checkReachable, checkClocks],
  ...[checkLeaders, checkPeers, checkLag, checkCoverage],
];

describe("SPEC-U1: doctor's checks", () => {
  test("nothing is wrong with a healthy cluster", () => {
    expect(all.map((check) => check(facts()).level)).toEqual(all.map(() => "ok"));
  });

  const cases: readonly [string, Check, Partial<ClusterFacts>, Finding["level"], string][] = [
    [
      "a PD member that is silent",
      checkPd,
      info({ members: [member(1), member(2), member(3, { isUp: false })] }),
      "warn",
      "1 of 3 members do not answer: pd-3; 0 more may fail",
    ],
    [
      "a learner is no voter",
      checkPd,
      info({ members: [member(1), member(4, { isLearner: true })] }),
      "ok",
      "1 of 1",
    ],
    [
      "a cluster that has not begun",
      checkStores,
      info({ bootstrapped: false, registeredStoreCount: 1, bootstrapStoreCount: 3 }),
      "bad",
      "1 of 3 Stores have registered",
    ],
    [
      "a Store that is down",
      checkStores,
      { stores: [store(1), store(2, StoreState.DOWN)] },
      "bad",
      "Store 2 does not",
    ],
    [
      "two Stores that are gone",
      checkStores,
      { stores: [store(1, StoreState.DISCONNECTED), store(2, StoreState.DOWN)] },
      "bad",
      "Store 2, Store 1 do not answer",
    ],
    [
      "a slow disk",
      checkStores,
      { stores: [store(1, StoreState.UP, { isSlow: true })] },
      "warn",
      "Store 1: the disk",
    ],
    [
      "a Store being emptied",
      checkStores,
      { stores: [store(1, StoreState.DRAINING)] },
      "ok",
      "being emptied: Store 1",
    ],
    [
      "a full disk",
      checkDisks,
      { stores: [store(1, StoreState.UP, { isFull: true })] },
      "bad",
      "takes no writes",
    ],
    [
      "little room",
      checkDisks,
      { stores: [store(1), store(2, StoreState.UP, { availableBytes: 9n * GIB })] },
      "warn",
      "Store 2: 9.0 GiB",
    ],
    [
      "two versions",
      checkVersions,
      { processes: [answer("PD member pd-1", { version: "0.2.0" })] },
      "warn",
      "0.1.0 (Store 1, Store 2, Store 3), 0.2.0 (PD member pd-1)",
    ],
    [
      "an upgrade that is not finished",
      checkVersions,
      info({
        ...{ clusterVersion: 1, newestClusterVersion: 2 },
        clusterVersionWaitsFor: ["the program of Store 3 knows version 1"],
      }),
      "warn",
      "the cluster version is 1, 2 waits: the program of Store 3 knows version 1",
    ],
    [
      "a process that cannot be reached",
      checkReachable,
      { processes: [answer("Store 1", { failure: "ECONNREFUSED" })] },
      "warn",
      "Store 1 at h:1 (ECONNREFUSED)",
    ],
    [
      "no leader",
      checkLeaders,
      { routes: [route(7, ["", ""], { leader: undefined })] },
      "bad",
      "no leader: 7",
    ],
    [
      "a peer that is down",
      checkPeers,
      { routes: [route(7, ["", ""], { downPeerIds: [72n] })] },
      "warn",
      "down: 7",
    ],
    ["too few peers", checkPeers, { replicaCount: 5 }, "warn", "2 of 2 Regions lack peers"],
    [
      "rows that differ",
      checkPeers,
      { routes: [route(7, ["", ""], { damagedPeerIds: [72n] })] },
      "bad",
      "differ",
    ],
    [
      "a peer that is behind",
      checkLag,
      { routes: [route(7, ["", ""], { pendingPeerIds: [72n] })] },
      "warn",
      "behind",
    ],
    ["a hole", checkCoverage, { routes: [route(1, ["", "b"]), route(2, ["c", ""])] }, "warn", 'at "c"'],
    ["an overlap", checkCoverage, { routes: [route(1, ["", "c"]), route(2, ["b", ""])] }, "warn", 'at "b"'],
    ["no end", checkCoverage, { routes: [route(1, ["", "c"])] }, "warn", "at its end"],
    ["no beginning", checkCoverage, { routes: [route(1, ["a", ""])] }, "warn", 'at "a"'],
    [
      "two last Regions",
      checkCoverage,
      { routes: [route(1, ["", ""]), route(2, ["m", ""])] },
      "warn",
      'at "m"',
    ],
  ];
  test.each(cases)("%s", (_name, check, others, level, message) => {
    const finding = check(facts(others));
    expect(finding).toMatchObject({ level, message: expect.stringContaining(message) });
    expect(finding.advice !== undefined).toBe(level !== "ok");
  });

  test("many are named by the first few", () => {
    const routes = Array.from({ length: 8 }, (_, at) => route(at + 1, ["", ""], { leader: undefined }));
    expect(checkLeaders(facts({ routes })).message).toBe(
      "8 of 8 Regions have no leader: 1, 2, 3, 4, 5 and 3 more",
    );
  });

  const clock = (leastMs: number, mostMs: number): ClockReading => ({ leastMs, mostMs });
  test.each([
    [clock(-990, 10), clock(-10, 990), "ok"],
    [clock(900, 1_900), clock(0, 1_000), "ok"],
    [clock(1_200, 2_200), clock(0, 1_000), "warn"],
    [clock(-3_000, -2_000), clock(0, 1_000), "warn"],
    [clock(-3_000, -2_000), clock(3_100, 4_100), "bad"],
  ] as const)("clocks %j and %j: %s", (first, second, level) => {
    const processes = [answer("Store 1", { clock: first }), answer("Store 2", { clock: second })];
    expect(checkClocks(facts({ processes })).level).toBe(level);
  });

  test("a clock that agrees is never said to differ, however its header is cut", () => {
    for (let nowMs = 1_000_000; nowMs < 1_002_000; nowMs += 37) {
      const header = new Date(nowMs + 20).toUTCString();
      const reading = readClock(header, nowMs, nowMs + 50);
      expect(reading?.leastMs).toBeLessThanOrEqual(0);
      expect(reading?.mostMs).toBeGreaterThanOrEqual(0);
    }
    expect(readClock(undefined, 0, 1)).toBeUndefined();
    expect(readClock("yesterday", 0, 1)).toBeUndefined();
  });
});

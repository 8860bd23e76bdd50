import { RdbError, type Region, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import { type CommitMergeCommand, regionToProto } from "@flaredb/rdb-proto";
import type { Entry } from "@flaredb/rdb-raft";
import { EntryCache, type MemoryEngine, RaftLogStore, WritePart } from "@flaredb/rdb-storage";
import { beforeEach, expect, it } from "vitest";
import { SimClock, bytes, testEngine } from "../../testing/index.ts";
import { confStateOf } from "../conf-state.ts";
import { carriedToProto } from "./merge-entries.ts";
import { MergePath, type MergePathOwner } from "./merge-path.ts";

const peers = [{ id: peerId(11), storeId: storeId(1), role: "Voter" as const }];
const region: Region = {
  ...{ id: regionId(2), startKey: bytes("m"), endKey: bytes("") },
  ...{ epoch: { confVer: 2, version: 3 }, peers },
};

let engine: MemoryEngine;
let log: RaftLogStore;
let applied: number;
/** The entry that cannot be applied now. */
let stuckAt: number;
let path: MergePath;

function entry(at: number): Entry {
  return { type: "Normal", index: index(at), term: term(6), data: bytes(`${at}`) };
}

/** A merge at entry 9, which carries the entries behind `previous`. */
function commitCarrying(previous: number): CommitMergeCommand {
  const entries = [6, 7, 8, 9].filter((at) => at > previous).map(entry);
  const previousTerm = term(previous === 5 ? 5 : 6);
  return {
    ...{ $typeName: "rdb.v1.CommitMergeCommand", source: regionToProto(region), commitIndex: 9n },
    ...carriedToProto({ previousIndex: index(previous), previousTerm, entries }),
  };
}

/** The log's own entries. */
function append(...entries: Entry[]): void {
  const part = new WritePart();
  log.append(part, entries);
  engine.submit(part);
}

beforeEach(() => {
  engine = testEngine(new SimClock());
  applied = 5;
  const initial = { regionId: region.id, index: index(5), term: term(5), confState: confStateOf(region) };
  const part = new WritePart();
  RaftLogStore.initialise(part, initial);
  engine.submit(part);
  const options = {
    ...{ regionId: region.id, cache: new EntryCache(1_000_000), applied: index(5) },
    makeSnapshot: () => "temporarily-unavailable" as const,
  };
  log = RaftLogStore.begin(engine, options, initial);
  const owner: Partial<MergePathOwner> = {
    ...{ engine, log, region: () => region, isInstalling: () => false },
    applyState: () => ({ index: index(applied), term: term(6), revision: 0, logTimeMs: 0 }),
    apply: (entries) => {
      for (const { index: at } of entries) {
        if (at === stuckAt) {
          throw new RdbError("RDB_UNAVAILABLE", "a Region that it has to take is not here");
        }
        applied = at;
      }
    },
  };
  path = new MergePath(owner as MergePathOwner, undefined);
});

it("a source that applied some of what it lacked and then failed is ahead of its core", () => {
  append(entry(6), entry(7), entry(8), entry(9));
  stuckAt = 8;
  expect(() => path.surrender(commitCarrying(9))).toThrow("not here");
  expect(path.isAheadOfCore).toBe(true);
});

it("a source that has carried entries in its log is ahead of its core, even if it applied none", () => {
  stuckAt = 6;
  expect(() => path.surrender(commitCarrying(5))).toThrow("not here");
  expect(applied).toBe(5);
  expect(path.isAheadOfCore).toBe(true);
});

it("a source that failed at the first of its own entries is as it was", () => {
  append(entry(6), entry(7), entry(8), entry(9));
  stuckAt = 6;
  expect(() => path.surrender(commitCarrying(9))).toThrow("not here");
  expect(path.isAheadOfCore).toBe(false);
});

it("a source that lacks what the carried entries follow is as it was", () => {
  expect(() => path.surrender(commitCarrying(7))).toThrow("it lacks entry 7");
  expect(path.isAheadOfCore).toBe(false);
});

it("a source that has all carried entries and more keeps its log, and what it knows to be committed", () => {
  append(entry(6), entry(7), entry(8), entry(9), entry(10));
  const part = new WritePart();
  log.setHardState(part, { term: term(6), vote: 0, commit: index(10) });
  engine.submit(part);
  stuckAt = 6;
  expect(() => path.surrender(commitCarrying(5))).toThrow("not here");
  expect(log.lastIndex()).toBe(10);
  expect(log.hardState.commit).toBe(10);
});

it("a source whose log goes on differently takes the carried entries in its place", () => {
  append(...[6, 7, 8, 9].map((at) => ({ ...entry(at), term: term(5) })));
  stuckAt = 6;
  expect(() => path.surrender(commitCarrying(5))).toThrow("not here");
  expect([6, 7, 8, 9].map((at) => log.term(index(at)))).toEqual([6, 6, 6, 6]);
  expect(log.hardState.commit).toBe(9);
});

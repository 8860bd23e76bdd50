import { index, peerId, regionId, term } from "@flaredb/rdb-base";
import type { Entry } from "@flaredb/rdb-raft";
import {
  COMPACT_MAX_COUNT,
  EntryCache,
  type MemoryEngine,
  RaftLogStore,
  WritePart,
} from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it } from "vitest";
import { SimClock, bytes, testEngine } from "../testing/index.ts";
import { LogKeeper } from "./log-keeper.ts";

const LIMITS = { maxEntries: 10_000, maxBytes: 1_024 * 1_024, checkIntervalMs: 1_000 };
const ENTRY_COUNT = 2 * COMPACT_MAX_COUNT + 100;
/** Far from what is worth cutting by itself. */
const ENTRY_BYTES = 1;
const LAST = 5 + ENTRY_COUNT;

const followers = (matchIndex: number) => ({
  liveMatchIndexes: [matchIndex],
  snapshotIndexes: [],
  isAnybodyAway: false,
});

let engine: MemoryEngine;
let log: RaftLogStore;
let keeper: LogKeeper;

beforeEach(async () => {
  const clock = new SimClock();
  engine = testEngine(clock);
  const part = new WritePart();
  const confState = {
    voters: [peerId(1)],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  RaftLogStore.initialise(part, { regionId: regionId(1), index: index(5), term: term(5), confState });
  engine.submit(part);
  log = await clock.complete(
    RaftLogStore.open(engine, {
      regionId: regionId(1),
      cache: new EntryCache(0),
      applied: index(5),
      makeSnapshot: () => "temporarily-unavailable",
    }),
    1_000,
  );
  const entries = Array.from(
    { length: ENTRY_COUNT },
    (_, place): Entry => ({
      type: "Normal",
      index: index(6 + place),
      term: term(5),
      data: bytes("0123456789"),
    }),
  );
  const append = new WritePart();
  log.append(append, entries);
  engine.submit(append);
  keeper = new LogKeeper(log, LIMITS);
  keeper.becameLeader(0);
  keeper.appended(ENTRY_BYTES * ENTRY_COUNT);
});

function compact(position: number): void {
  const part = new WritePart();
  keeper.compact(part, position);
  engine.submit(part);
}

describe("LogKeeper", () => {
  it("looks once an interval", () => {
    expect(keeper.compactIndex(999, LAST, () => followers(LAST))).toBeUndefined();
    expect(keeper.compactIndex(1_000, LAST, () => followers(LAST))).toBe(LAST);
    expect(keeper.compactIndex(1_999, LAST, () => followers(LAST))).toBeUndefined();
    expect(keeper.compactIndex(2_000, LAST, () => followers(LAST))).toBe(LAST);
  });

  it("looks ten times as often at a log that is large", () => {
    keeper.appended(64 * 1024);
    expect(keeper.compactIndex(99, LAST, () => followers(LAST))).toBeUndefined();
    expect(keeper.compactIndex(100, LAST, () => followers(LAST))).toBe(LAST);
    expect(keeper.compactIndex(199, LAST, () => followers(LAST))).toBeUndefined();
    expect(keeper.compactIndex(200, LAST, () => followers(LAST))).toBe(LAST);
  });

  it("deletes in slices: the first with the entry, the others one at a time", () => {
    compact(LAST);
    expect(log.truncated.index).toBe(5 + COMPACT_MAX_COUNT);
    expect(keeper.hasMore).toBe(true);
    for (let slice = 0; keeper.hasMore; slice++) {
      expect(slice).toBeLessThan(3);
      const part = new WritePart();
      keeper.deleteSlice(part);
      engine.submit(part);
    }
    expect(log.truncated.index).toBe(LAST);
  });

  it("knows about how many bytes are left", () => {
    compact(LAST - 100);
    while (keeper.hasMore) {
      const part = new WritePart();
      keeper.deleteSlice(part);
      engine.submit(part);
    }
    // 100 entries: far from an eighth of the limit of entries, or of bytes that are worth it.
    expect(keeper.compactIndex(5_000, LAST, () => followers(LAST))).toBeUndefined();
    keeper.appended(LIMITS.maxBytes);
    expect(keeper.compactIndex(9_000, LAST, () => followers(0))).toBe(LAST);
  });

  it("ignores an older command to cut what is gone already", () => {
    compact(100);
    compact(50);
    expect(log.truncated.index).toBe(100);
    expect(keeper.hasMore).toBe(false);
  });
});

import {
  type Index,
  type RdbError,
  type RegionId,
  SeededRandom,
  index,
  peerId,
  regionId,
  term,
} from "@flaredb/rdb-base";
import type { ConfState, Entry } from "@flaredb/rdb-raft";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { EntryCache } from "./entry-cache.ts";
import { indexedKey, regionKeyRange, stateKey, stateKinds } from "./key-codec.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { COMPACT_MAX_COUNT, RaftLogStore, type RaftLogStoreOptions } from "./raft-log-store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

const confState: ConfState = {
  voters: [peerId(11), peerId(12), peerId(13)],
  learners: [peerId(14)],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};
const emptyConfState: ConfState = { ...confState, voters: [], learners: [] };
const R1 = regionId(1);
const R2 = regionId(2);

let clock: ManualClock;
let engine: MemoryEngine;
let cache: EntryCache;
beforeEach(() => {
  clock = new ManualClock();
  engine = new MemoryEngine({
    clock,
    random: new SeededRandom(1),
    onFatal: (error: RdbError) => {
      throw error;
    },
  });
  cache = new EntryCache(1_000_000);
});

const entry = (position: number, ofTerm = 5, data = `e${position}`): Entry => ({
  index: index(position),
  term: term(ofTerm),
  type: "Normal",
  data: new TextEncoder().encode(data),
});
const entries = (low: number, high: number, ofTerm = 5): Entry[] =>
  Array.from({ length: high - low }, (_, i) => entry(low + i, ofTerm));

function write(fill: (part: WritePart) => void): WritePart {
  const part = new WritePart();
  fill(part);
  engine.submit(part);
  return part;
}

function open(options: Partial<RaftLogStoreOptions> = {}): Promise<RaftLogStore> {
  return clock.runUntil(
    RaftLogStore.open(engine, {
      regionId: R1,
      cache,
      applied: index(0),
      makeSnapshot: () => "temporarily-unavailable",
      ...options,
    }),
  );
}

function initialise(id: RegionId = R1): void {
  write((part) => RaftLogStore.initialise(part, { regionId: id, index: index(5), term: term(5), confState }));
}

const plain = (found: readonly Entry[] | string): unknown =>
  typeof found === "string"
    ? found
    : found.map(({ index, term, data }) => [index, term, Buffer.from(data).toString()]);

describe("RaftLogStore", () => {
  it("begins a bootstrapped Region at 5, durably", async () => {
    expect(RaftLogStore.exists(engine, R1)).toBe(false);
    const part = write((part) =>
      RaftLogStore.initialise(part, { regionId: R1, index: index(5), term: term(5), confState }),
    );
    expect(part.sync).toBe(true);
    expect(RaftLogStore.exists(engine, R1)).toBe(true);
    expect(RaftLogStore.exists(engine, R2)).toBe(false);
    const store = await open({ applied: index(5) });
    expect(store.initialState()).toEqual({ hardState: { term: 5, vote: 0, commit: 5 }, confState });
    expect([store.firstIndex(), store.lastIndex(), store.term(index(5))]).toEqual([6, 5, 5]);
  });

  it("begins an empty peer at 0, without a configuration", async () => {
    write((part) =>
      RaftLogStore.initialise(part, {
        regionId: R1,
        index: index(0),
        term: term(0),
        confState: emptyConfState,
      }),
    );
    const store = await open();
    expect(store.initialState().hardState).toEqual({ term: 0, vote: 0, commit: 0 });
    expect([store.firstIndex(), store.lastIndex(), store.term(index(0))]).toEqual([1, 0, 0]);
  });

  it("answers misses as the core expects them", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 10)));
    expect(store.entries(index(5), index(7), 1e9)).toBe("compacted");
    expect(store.entries(index(8), index(11), 1e9)).toBe("unavailable");
    expect(store.term(index(4))).toBe("compacted");
    expect(store.term(index(10))).toBe("unavailable");
    expect(store.snapshot()).toBe("temporarily-unavailable");
  });

  it("keeps to maxBytes, but gives at least one entry", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 10)));
    expect(store.entries(index(6), index(10), 0)).toHaveLength(1);
    expect(store.entries(index(6), index(10), 40)).toHaveLength(2);
    expect(store.entries(index(6), index(10), 1e9)).toHaveLength(4);
  });

  it("SPEC-R6: deletes a longer conflicting tail in the part that replaces it", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 12)));
    const part = write((part) => store.append(part, entries(8, 10, 6)));
    expect(part.ops.filter(({ value }) => value === undefined).map(({ key }) => key)).toEqual([
      indexedKey(R1, index(10)),
      indexedKey(R1, index(11)),
    ]);
    clock.runAll();
    const reopened = await open();
    expect(reopened.lastIndex()).toBe(9);
    expect(plain(reopened.entries(index(6), index(10), 1e9))).toEqual([
      [6, 5, "e6"],
      [7, 5, "e7"],
      [8, 6, "e8"],
      [9, 6, "e9"],
    ]);
  });

  it("SPEC-R3: asks for sync for entries, terms and votes, not for a commit index alone", async () => {
    initialise();
    const store = await open();
    const append = write((part) => store.append(part, entries(6, 7)));
    const commit = write((part) => store.setHardState(part, { term: term(5), vote: 0, commit: index(6) }));
    const vote = write((part) =>
      store.setHardState(part, { term: term(5), vote: peerId(12), commit: index(6) }),
    );
    const later = write((part) =>
      store.setHardState(part, { term: term(6), vote: peerId(12), commit: index(6) }),
    );
    expect([append.sync, commit.sync, vote.sync, later.sync]).toEqual([true, false, true, true]);
    expect((await open()).hardState).toEqual({ term: 6, vote: 12, commit: 6 });
  });

  it("SPEC-R3: takes the applied index for committed after a restart", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 9)));
    expect((await open({ applied: index(8) })).hardState.commit).toBe(8);
  });

  it("refuses a log that ends before what was applied", async () => {
    initialise();
    await expect(open({ applied: index(6) })).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
  });

  it("refuses a log that does not begin after the truncated entry", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 9)));
    write((part) => part.delete("raft_log", indexedKey(R1, index(6))));
    await expect(open()).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
  });

  it("finds a gap inside the log when it is read", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 9)));
    write((part) => part.delete("raft_log", indexedKey(R1, index(7))));
    const reopened = await open({ cache: new EntryCache(0) });
    expect(() => reopened.entries(index(6), index(9), 1e9)).toThrow(/region 1 lacks entry 7/);
  });

  it("compacts in bounded slices and remembers the last term", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 6 + COMPACT_MAX_COUNT + 10, 7)));
    const target = index(5 + COMPACT_MAX_COUNT + 4);
    let reached: Index = index(0);
    write((part) => {
      reached = store.compactTo(part, target);
    });
    expect(reached).toBe(5 + COMPACT_MAX_COUNT);
    write((part) => {
      reached = store.compactTo(part, target);
    });
    expect(reached).toBe(target);
    const reopened = await open();
    expect(reopened.truncated).toEqual({ index: target, term: 7 });
    expect([reopened.firstIndex(), reopened.term(target)]).toEqual([target + 1, 7]);
    write((part) => {
      reached = reopened.compactTo(part, index(3));
    });
    expect(reached).toBe(target);
  });

  it("is replaced by a snapshot, keeping the vote of its own term", async () => {
    initialise();
    const store = await open();
    write((part) => store.append(part, entries(6, 20)));
    write((part) => store.setHardState(part, { term: term(8), vote: peerId(13), commit: index(7) }));
    const snapshot = { index: index(100), term: term(7), confState: emptyConfState };
    const part = write((part) => store.resetToSnapshot(part, snapshot));
    expect(part.sync).toBe(true);
    const reopened = await open({ applied: index(100) });
    expect(reopened.initialState()).toEqual({
      hardState: { term: 8, vote: 13, commit: 100 },
      confState: emptyConfState,
    });
    expect([reopened.firstIndex(), reopened.lastIndex(), reopened.term(index(100))]).toEqual([101, 100, 7]);
  });

  it("SPEC-M4: keeps Regions apart, and leaves nothing of a destroyed one", async () => {
    initialise(R1);
    initialise(R2);
    const first = await open();
    const second = await open({ regionId: R2 });
    write((part) => first.append(part, entries(6, 20, 6)));
    write((part) => second.append(part, entries(6, 9, 7)));
    write((part) => first.destroy(part));
    expect(RaftLogStore.exists(engine, R1)).toBe(false);
    for (const column of ["raft_log", "raft_state"] as const) {
      const cursor = engine.openCursor(column, regionKeyRange(R1));
      expect((await clock.runUntil(cursor.next(1, 1))).rows).toEqual([]);
    }
    expect(plain((await open({ regionId: R2 })).entries(index(6), index(9), 1e9))).toEqual([
      [6, 7, "e6"],
      [7, 7, "e7"],
      [8, 7, "e8"],
    ]);
  });

  it("refuses a damaged state", async () => {
    initialise();
    write((part) => part.put("raft_state", stateKey(R1, stateKinds.hardState), Uint8Array.of(9, 9)));
    await expect(open()).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
  });

  it("reads what a plain array would hold, whatever the cache keeps", async () => {
    type Step = { kind: "append"; back: number; count: number } | { kind: "compact"; keep: number };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({
        kind: fc.constant("append" as const),
        back: fc.nat(6),
        count: fc.integer({ min: 1, max: 6 }),
      }),
      fc.record({ kind: fc.constant("compact" as const), keep: fc.nat(8) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(2000), async (steps, cacheBytes) => {
        const id = regionId(1 + Math.floor(cacheBytes * 1e6));
        initialise(id);
        cache = new EntryCache(cacheBytes);
        const store = await open({ regionId: id });
        let first = 6;
        let model: Entry[] = [];
        for (const [position, action] of steps.entries()) {
          const last = first + model.length - 1;
          if (action.kind === "append") {
            const from = Math.max(first, last + 1 - action.back);
            const added = entries(from, from + action.count, 6 + position);
            model = [...model.slice(0, from - first), ...added];
            write((part) => store.append(part, added));
          } else {
            const target = Math.max(first - 1, last - action.keep);
            write((part) => store.compactTo(part, index(target)));
            model = model.slice(target + 1 - first);
            first = target + 1;
          }
          clock.runNext();
          expect(cache.sizeBytes).toBeLessThanOrEqual(cacheBytes);
          expect([store.firstIndex(), store.lastIndex()]).toEqual([first, first + model.length - 1]);
          if (model.length > 0) {
            const found = store.entries(index(first), index(first + model.length), 1e9);
            expect(plain(found)).toEqual(plain(model));
            expect(store.term(store.lastIndex())).toBe(model.at(-1)?.term);
          }
        }
        const reopened = await open({ regionId: id, cache: new EntryCache(0) });
        expect([reopened.firstIndex(), reopened.lastIndex()]).toEqual([first, first + model.length - 1]);
        write((part) => store.destroy(part));
      }),
      { numRuns: 200 },
    );
  });
});

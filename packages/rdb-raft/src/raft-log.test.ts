import { index, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import type { RaftLogger } from "./config.ts";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import { entrySizeBytes } from "./entry-size.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { Entry } from "./messages.ts";
import { RaftLog } from "./raft-log.ts";
import type { StorageMiss } from "./storage.ts";

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };
const UNLIMITED = Number.MAX_SAFE_INTEGER;

const entry = (at: number, ofTerm: number, bytes = 0): Entry => ({
  index: index(at),
  term: term(ofTerm),
  type: "Normal",
  data: new Uint8Array(bytes),
});
const entries = (first: number, ...terms: number[]): Entry[] =>
  terms.map((ofTerm, position) => entry(first + position, ofTerm));
const indexesOf = (result: readonly Entry[] | StorageMiss): number[] | StorageMiss =>
  typeof result === "string" ? result : result.map((each) => each.index);

/** A log with the terms 1, 2, 2, 3, 3 at 1 to 5, of which storage has the first `stable`. */
function newLog(stable = 3, maxApplyingBytes = UNLIMITED, storage = new MemoryStorage()): RaftLog {
  const all = entries(1, 1, 2, 2, 3, 3);
  storage.append(all.slice(0, stable));
  const log = new RaftLog(storage, silent, maxApplyingBytes);
  if (stable < all.length) {
    log.append(all.slice(stable));
  }
  return log;
}

describe("maybeAppend", () => {
  const from = (
    log: RaftLog,
    at: number,
    ofTerm: number,
    added: Entry[],
    commit: number,
  ): number | undefined => log.maybeAppend({ index: index(at), term: term(ofTerm) }, added, index(commit));

  it("refuses entries whose predecessor is missing or of another term", () => {
    const log = newLog();
    expect(from(log, 6, 3, entries(7, 3), 7)).toBeUndefined();
    expect(from(log, 5, 2, entries(6, 3), 6)).toBeUndefined();
    expect(log).toMatchObject({ committed: 0 });
    expect(log.lastIndex()).toBe(5);
  });

  it("commits no further than its last new entry", () => {
    const log = newLog();
    expect(from(log, 3, 2, [], 5)).toBe(3);
    expect(log.committed).toBe(3);
    expect(from(log, 3, 2, entries(4, 3), 4)).toBe(4);
    expect(log.committed).toBe(4);
  });

  it("keeps entries that it has, and those behind them", () => {
    const log = newLog();
    expect(from(log, 1, 1, entries(2, 2), 1)).toBe(2);
    expect(log.lastIndex()).toBe(5);
  });

  it("replaces its entries from the first one on that differs", () => {
    const log = newLog();
    expect(from(log, 2, 2, entries(3, 2, 4, 4, 4), 0)).toBe(6);
    expect([3, 4, 5, 6].map((at) => log.term(index(at)))).toEqual([2, 4, 4, 4]);
    expect(log.unstable.offset).toBe(4);
  });

  it("never replaces a committed entry", () => {
    const log = newLog();
    log.commitTo(index(4));
    expect(() => from(log, 2, 2, entries(3, 9), 0)).toThrow(/committed/);
  });
});

describe("findConflictByTerm", () => {
  it.each([
    { at: 5, ofTerm: 3, expected: { index: 5, term: 3 } },
    { at: 5, ofTerm: 2, expected: { index: 3, term: 2 } },
    { at: 5, ofTerm: 1, expected: { index: 1, term: 1 } },
    { at: 3, ofTerm: 9, expected: { index: 3, term: 2 } },
    { at: 5, ofTerm: 0, expected: { index: 0, term: 0 } },
  ])("finds where a log that ends with term $ofTerm at $at may meet this one", ({ at, ofTerm, expected }) => {
    expect(newLog().findConflictByTerm(index(at), term(ofTerm))).toEqual(expected);
  });

  it("stops where it does not know the terms any more", () => {
    const storage = new MemoryStorage();
    const log = newLog(5, UNLIMITED, storage);
    storage.compact(index(4));
    expect(log.findConflictByTerm(index(3), term(1))).toEqual({ index: 3, term: 0 });
  });
});

describe("slice", () => {
  it("joins what storage has and what is unstable", () => {
    const log = newLog();
    expect(indexesOf(log.slice(index(2), index(6), UNLIMITED))).toEqual([2, 3, 4, 5]);
    expect(indexesOf(log.slice(index(1), index(3), UNLIMITED))).toEqual([1, 2]);
    expect(indexesOf(log.slice(index(4), index(6), UNLIMITED))).toEqual([4, 5]);
    expect(indexesOf(log.entries(index(6), UNLIMITED))).toEqual([]);
  });

  it("stays within the limit of bytes, across both, and gives at least one entry", () => {
    const log = newLog();
    const size = entrySizeBytes(entry(1, 1));
    const counts = [0, 1, 2, 3, 4, 5].map((count) => indexesOf(log.slice(index(1), index(6), size * count)));
    expect(counts).toEqual([[1], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]]);
    expect(indexesOf(log.slice(index(1), index(6), size * 4 - 1))).toEqual([1, 2, 3]);
  });

  it("says what was compacted", () => {
    const storage = new MemoryStorage();
    const log = newLog(3, UNLIMITED, storage);
    storage.compact(index(2));
    expect(log.slice(index(2), index(4), UNLIMITED)).toBe("compacted");
    expect(log.term(index(2))).toBe(2);
    expect(log.term(index(1))).toBe("compacted");
    expect(log.term(index(6))).toBe("unavailable");
  });

  it("is answered from the log alone", () => {
    expect(() => newLog().slice(index(3), index(7), UNLIMITED)).toThrow(/inside/);
  });
});

describe("entries to apply", () => {
  it("are committed, and durable where that is asked for", () => {
    const log = newLog();
    log.commitTo(index(4));
    expect(indexesOf(log.nextCommittedEntries(true))).toEqual([1, 2, 3, 4]);
    expect(indexesOf(log.nextCommittedEntries(false))).toEqual([1, 2, 3]);
    log.unstable.stableTo({ index: index(4), term: term(3) });
    expect(log.hasNextCommittedEntries(false)).toBe(true);
  });

  it("are handed out once", () => {
    const log = newLog();
    log.commitTo(index(4));
    log.acceptApplying(index(4), 0, true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    log.commitTo(index(5));
    expect(indexesOf(log.nextCommittedEntries(true))).toEqual([5]);
  });

  it("wait while enough of them are being applied", () => {
    const size = entrySizeBytes(entry(1, 1));
    const log = newLog(5, size * 2);
    log.commitTo(index(5));
    expect(indexesOf(log.nextCommittedEntries(true))).toEqual([1, 2]);
    log.acceptApplying(index(2), size * 2, true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    log.appliedTo(index(1), size);
    expect(indexesOf(log.nextCommittedEntries(true))).toEqual([3]);
  });

  it("wait behind a batch that was cut short, though bytes are left of the limit", () => {
    const size = entrySizeBytes(entry(1, 1));
    const log = newLog(5, size * 2 - 1);
    log.commitTo(index(5));
    expect(indexesOf(log.nextCommittedEntries(true))).toEqual([1]);
    log.acceptApplying(index(1), size, true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
  });

  it("wait for a snapshot to be installed", () => {
    const log = newLog();
    log.commitTo(index(3));
    const metadata = { confState: EMPTY_CONF_STATE, index: index(9), term: term(4) };
    log.restore({ metadata, data: new Uint8Array(0) });
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    expect([log.firstIndex(), log.lastIndex(), log.committed]).toEqual([10, 9, 9]);
    expect(log.lastEntryId()).toEqual({ index: 9, term: 4 });
    log.unstable.stableSnapshotTo(index(9));
    log.appliedTo(index(9), 0);
    expect(log).toMatchObject({ applied: 9, applying: 9 });
  });

  it("that storage is fetching are asked for again only when the driver comes by", () => {
    const storage = new MemoryStorage();
    const log = newLog(5, UNLIMITED, storage);
    log.commitTo(index(2));
    const read = storage.entries.bind(storage);
    storage.entries = () => "temporarily-unavailable";
    expect(log.nextCommittedEntries(true)).toEqual([]);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    storage.entries = read;
    log.retryFetch();
    expect(indexesOf(log.nextCommittedEntries(true))).toEqual([1, 2]);
  });
});

describe("commit", () => {
  it("moves only forward, and only within the log", () => {
    const log = newLog();
    log.commitTo(index(3));
    log.commitTo(index(2));
    expect(log.committed).toBe(3);
    expect(() => log.commitTo(index(6))).toThrow(/within the log/);
  });

  it("of a leader takes an entry of its own term only", () => {
    const log = newLog();
    expect(log.maybeCommit({ index: index(3), term: term(3) })).toBe(false);
    expect(log.maybeCommit({ index: index(4), term: term(3) })).toBe(true);
    expect(log.maybeCommit({ index: index(4), term: term(3) })).toBe(false);
    expect(log.committed).toBe(4);
  });
});

describe("isUpToDate", () => {
  it.each([
    { at: 4, ofTerm: 3, expected: false },
    { at: 5, ofTerm: 3, expected: true },
    { at: 9, ofTerm: 2, expected: false },
    { at: 1, ofTerm: 4, expected: true },
  ])("compares ($at, $ofTerm) by term, then by index", ({ at, ofTerm, expected }) => {
    expect(newLog().isUpToDate({ index: index(at), term: term(ofTerm) })).toBe(expected);
  });
});

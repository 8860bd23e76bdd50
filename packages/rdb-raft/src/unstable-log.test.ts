import { index, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import type { RaftLogger } from "./config.ts";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import type { Entry, Snapshot } from "./messages.ts";
import { UnstableLog } from "./unstable-log.ts";

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };

const entry = (at: number, ofTerm: number): Entry => ({
  index: index(at),
  term: term(ofTerm),
  type: "Normal",
  data: new Uint8Array(0),
});
const entries = (first: number, ...terms: number[]): Entry[] =>
  terms.map((ofTerm, position) => entry(first + position, ofTerm));
const snapshotAt = (at: number, ofTerm: number): Snapshot => ({
  metadata: { confState: EMPTY_CONF_STATE, index: index(at), term: term(ofTerm) },
  data: new Uint8Array(0),
});

/** A log whose unstable part starts at 5 with three entries of term 1. */
function newLog(): UnstableLog {
  const log = new UnstableLog(index(5), silent);
  log.truncateAndAppend(entries(5, 1, 1, 1));
  return log;
}

const termsOf = (log: UnstableLog): number[] =>
  log.slice(log.offset, index(log.offset + log.length), Number.MAX_SAFE_INTEGER).map((each) => each.term);

describe("UnstableLog", () => {
  it("knows the terms of its entries and of its snapshot, and no others", () => {
    const log = new UnstableLog(index(1), silent);
    expect([log.maybeFirstIndex(), log.maybeLastIndex(), log.maybeTerm(index(0))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    log.restore(snapshotAt(4, 2));
    expect([log.maybeFirstIndex(), log.maybeLastIndex()]).toEqual([5, 4]);
    log.truncateAndAppend(entries(5, 3, 3));
    expect([3, 4, 5, 6, 7].map((at) => log.maybeTerm(index(at)))).toEqual([undefined, 2, 3, 3, undefined]);
    expect(log.maybeLastIndex()).toBe(6);
  });

  it("hands out each entry and the snapshot once", () => {
    const log = newLog();
    expect(log.nextEntries()).toHaveLength(3);
    log.acceptInProgress();
    expect(log.hasNextEntries()).toBe(false);
    log.truncateAndAppend(entries(8, 1));
    expect(log.nextEntries()).toEqual([entry(8, 1)]);
    log.restore(snapshotAt(20, 1));
    expect(log.nextSnapshot()?.metadata.index).toBe(20);
    log.acceptInProgress();
    expect(log.nextSnapshot()).toBeUndefined();
    expect(log.snapshot?.metadata.index).toBe(20);
    log.stableSnapshotTo(index(19));
    expect(log.snapshot?.metadata.index).toBe(20);
    log.stableSnapshotTo(index(20));
    expect(log.snapshot).toBeUndefined();
  });

  it("lets go of what is confirmed", () => {
    const log = newLog();
    log.acceptInProgress();
    log.stableTo({ index: index(6), term: term(1) });
    expect(log).toMatchObject({ offset: 7, offsetInProgress: 8, length: 1 });
    log.stableTo({ index: index(7), term: term(1) });
    expect(log).toMatchObject({ offset: 8, offsetInProgress: 8, length: 0 });
  });

  it.each([
    { name: "an entry that it no longer has", at: 9, ofTerm: 1 },
    { name: "an entry of another term", at: 6, ofTerm: 2 },
    { name: "an entry before it", at: 4, ofTerm: 1 },
  ])("keeps everything at the confirmation of $name", ({ at, ofTerm }) => {
    const log = newLog();
    log.stableTo({ index: index(at), term: term(ofTerm) });
    expect(log).toMatchObject({ offset: 5, length: 3 });
  });

  it("ignores a confirmation that names its snapshot", () => {
    const log = new UnstableLog(index(5), silent);
    log.restore(snapshotAt(9, 2));
    log.truncateAndAppend(entries(10, 2));
    log.stableTo({ index: index(9), term: term(2) });
    expect(log).toMatchObject({ offset: 10, length: 1 });
  });

  it.each([
    { name: "at its end", first: 8, terms: [2, 2], expected: [1, 1, 1, 2, 2], offset: 5, inProgress: 8 },
    { name: "inside", first: 6, terms: [2], expected: [1, 2], offset: 5, inProgress: 6 },
    { name: "at its start", first: 5, terms: [2, 2], expected: [2, 2], offset: 5, inProgress: 5 },
    { name: "before it", first: 3, terms: [2, 2], expected: [2, 2], offset: 3, inProgress: 3 },
  ])("appends $name", ({ first, terms, expected, offset, inProgress }) => {
    const log = newLog();
    log.acceptInProgress();
    log.truncateAndAppend(entries(first, ...terms));
    expect(termsOf(log)).toEqual(expected);
    expect(log).toMatchObject({ offset, offsetInProgress: inProgress });
    expect(log.nextEntries().map((each) => each.term)).toEqual(expected.slice(inProgress - offset));
  });

  it("takes no entries that leave a gap", () => {
    expect(() => newLog().truncateAndAppend(entries(9, 1))).toThrow(/gap/);
  });

  it("does not change what it handed out", () => {
    const log = newLog();
    const handedOut = log.nextEntries();
    log.truncateAndAppend(entries(6, 2));
    log.stableTo({ index: index(5), term: term(1) });
    expect(handedOut.map((each) => each.term)).toEqual([1, 1, 1]);
  });

  it("limits a slice by bytes, and gives at least one entry", () => {
    const log = newLog();
    expect(log.slice(index(5), index(8), 0)).toEqual([entry(5, 1)]);
    expect(log.slice(index(6), index(8), 12)).toEqual(entries(6, 1, 1));
    expect(log.slice(index(6), index(6), 12)).toEqual([]);
    expect(() => log.slice(index(4), index(6), 12)).toThrow(/inside/);
    expect(() => log.slice(index(6), index(9), 12)).toThrow(/inside/);
  });

  it("stays whole while entries come and are confirmed one by one", () => {
    const log = new UnstableLog(index(1), silent);
    for (let at = 1; at <= 2_000; at++) {
      log.truncateAndAppend([entry(at, at)]);
      if (at > 50) {
        log.stableTo({ index: index(at - 50), term: term(at - 50) });
        expect(log).toMatchObject({ offset: at - 49, length: 50 });
        expect(log.maybeTerm(index(at - 49))).toBe(at - 49);
        expect(log.maybeTerm(index(at))).toBe(at);
        expect(log.maybeTerm(index(at - 50))).toBeUndefined();
      }
    }
  });
});

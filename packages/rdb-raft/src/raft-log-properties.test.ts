import { index, term, type Index } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RaftLogger } from "./config.ts";
import type { EntryId } from "./index-math.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { Entry } from "./messages.ts";
import { RaftLog } from "./raft-log.ts";
import { buildEntry } from "./testing/build-message.ts";

// The log, whose end is unstable and whose head is compacted, against a plain list of entries.

const RUNS = 300;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const MAX_TERM = 1_000;

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** What may happen to a log; the numbers are scaled to what is possible at that moment. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("leader appends" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant("follower appends" as const),
    keep: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 0, max: 4 }),
    commit: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant("storage starts" as const) }),
  fc.record({ kind: fc.constant("storage finishes" as const) }),
  fc.record({ kind: fc.constant("commit" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant("apply" as const), maxEntries: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("compact" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** The log under test beside its model: every entry ever kept, from index 1 on. */
class Pair {
  readonly storage = new MemoryStorage();
  readonly log = new RaftLog(this.storage, silent, UNLIMITED);
  model: Entry[] = [];
  committed = 0;
  applied = 0;
  compacted = 0;
  #term = 1;
  /** What storage was asked to write and has not confirmed, oldest first. */
  readonly #writing: (readonly Entry[])[] = [];

  run(next: Step): void {
    switch (next.kind) {
      case "leader appends":
        return this.#leaderAppends(next.count);
      case "follower appends":
        return this.#followerAppends(next);
      case "storage starts":
        this.#writing.push(this.log.unstable.nextEntries());
        return this.log.unstable.acceptInProgress();
      case "storage finishes":
        return this.#finishWriting();
      case "commit":
        this.committed += Math.floor(next.part * (this.model.length - this.committed));
        return this.log.commitTo(index(this.committed));
      case "apply":
        return this.#apply(next.maxEntries);
      case "compact":
        return this.#compact(next.part);
    }
  }

  #leaderAppends(count: number): void {
    const added = this.#newEntries(this.model.length, count);
    this.model.push(...added);
    expect(this.log.append(added)).toBe(this.model.length);
  }

  /** A new leader's entries replace everything after a place that is not committed. */
  #followerAppends({ keep, count, commit }: { keep: number; count: number; commit: number }): void {
    const kept = this.committed + Math.floor(keep * (this.model.length - this.committed));
    this.#term++;
    const added = this.#newEntries(kept, count);
    const leaderCommit = this.committed + Math.floor(commit * (kept + count + 2 - this.committed));
    const last = this.log.maybeAppend(this.idOf(kept), added, index(leaderCommit));
    expect(last).toBe(kept + count);
    if (count > 0) {
      this.model = [...this.model.slice(0, kept), ...added];
    }
    this.committed = Math.max(this.committed, Math.min(leaderCommit, kept + count));
  }

  #finishWriting(): void {
    const written = this.#writing.shift() ?? [];
    const last = written.at(-1);
    if (last !== undefined) {
      this.storage.append(written);
      this.log.unstable.stableTo(last);
    }
  }

  #apply(maxEntries: number): void {
    const entries = this.log.nextCommittedEntries(true).slice(0, maxEntries);
    expect(entries).toEqual(this.model.slice(this.applied, this.applied + entries.length));
    this.applied += entries.length;
    this.log.appliedTo(index(this.applied), 0);
  }

  #compact(part: number): void {
    const stable = Math.min(this.applied, this.storage.lastIndex(), this.log.unstable.offset - 1);
    this.compacted = Math.max(this.compacted, Math.floor(part * stable));
    this.storage.compact(index(this.compacted));
  }

  #newEntries(after: number, count: number): Entry[] {
    return Array.from({ length: count }, (_, at) => buildEntry(this.#term, after + 1 + at));
  }

  idOf(at: number): EntryId {
    return { index: index(at), term: term(this.model[at - 1]?.term ?? 0) };
  }
}

/** The term that a log without its compacted head should tell. */
function expectedTerm({ model, compacted }: Pair, at: number): number | string {
  if (at < compacted) {
    return "compacted";
  }
  return at > model.length ? "unavailable" : (model[at - 1]?.term ?? 0);
}

function expectSame(pair: Pair): void {
  const { log, model, compacted } = pair;
  expect(log.lastIndex()).toBe(model.length);
  expect(log.firstIndex()).toBe(compacted + 1);
  expect(log.committed).toBe(pair.committed);
  expect(log.applied).toBe(pair.applied);
  for (let at = 0; at <= model.length + 1; at++) {
    expect(log.term(index(at))).toBe(expectedTerm(pair, at));
  }
  expect(log.entries(index(compacted + 1), UNLIMITED)).toEqual(model.slice(compacted));
  expect(log.lastEntryId()).toEqual(pair.idOf(model.length));
}

/** The last entry at or below an index whose term is no higher, by definition. */
function conflictByDefinition({ model, compacted }: Pair, from: number, highest: number): number {
  let at = from;
  while (at > compacted && (model[at - 1]?.term ?? 0) > highest) {
    at--;
  }
  return at;
}

describe("the log", () => {
  test("is the list of entries that it was told, whatever is stable of it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pair = new Pair();
        for (const next of steps) {
          pair.run(next);
          expectSame(pair);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("storage ends with the same entries once it has written everything", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pair = new Pair();
        steps.forEach((next) => pair.run(next));
        for (let left = 0; left <= steps.length; left++) {
          pair.run({ kind: "storage starts" });
          pair.run({ kind: "storage finishes" });
        }
        expect(pair.log.unstable.length).toBe(0);
        expect(pair.storage.lastIndex()).toBe(pair.model.length);
        expectSame(pair);
      }),
      { numRuns: RUNS },
    );
  });

  test("finds where another log may meet it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), fc.nat(MAX_TERM), (steps, place, highest) => {
        const pair = new Pair();
        steps.forEach((next) => pair.run(next));
        const from = pair.compacted + (place % (pair.model.length - pair.compacted + 1));
        const found = pair.log.findConflictByTerm(index(from), term(highest % 12));
        const expected = conflictByDefinition(pair, from, highest % 12);
        // Below the compacted head nothing is known: the search ends just there.
        const isKnown = expected > pair.compacted || (pair.idOf(expected).term ?? 0) <= highest % 12;
        expect(found.index).toBe(isKnown ? expected : expected - 1);
      }),
      { numRuns: RUNS },
    );
  });

  test("cuts a range to a limit of bytes, but never to nothing", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), fc.nat(60), (steps, place, maxBytes) => {
        const pair = new Pair();
        steps.forEach((next) => pair.run(next));
        const low = index(pair.compacted + 1 + (place % (pair.model.length - pair.compacted + 1))) as Index;
        const expected = pair.model.slice(low - 1);
        const entries = pair.log.entries(low, maxBytes);
        expect(entries.length).toBeGreaterThanOrEqual(Math.min(expected.length, 1));
        expect(entries).toEqual(expected.slice(0, entries.length));
      }),
      { numRuns: RUNS },
    );
  });
});

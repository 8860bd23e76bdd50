import { index, peerId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import { entrySizeBytes } from "./entry-size.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { Entry, Snapshot } from "./messages.ts";

const entries = (first: number, ...terms: number[]): Entry[] =>
  terms.map((ofTerm, position) => ({
    index: index(first + position),
    term: term(ofTerm),
    type: "Normal",
    data: new Uint8Array(0),
  }));

const snapshotAt = (at: number, ofTerm: number): Snapshot => ({
  metadata: {
    confState: { ...EMPTY_CONF_STATE, voters: [peerId(1)] },
    index: index(at),
    term: term(ofTerm),
  },
  data: Uint8Array.of(at),
});

/** Entries 4 to 6 behind a snapshot at 3. */
function newStorage(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.applySnapshot(snapshotAt(3, 3));
  storage.append(entries(4, 4, 5, 5));
  return storage;
}

const termsFrom = (storage: MemoryStorage): unknown =>
  [2, 3, 4, 5, 6, 7].map((at) => storage.term(index(at)));

describe("MemoryStorage", () => {
  it("knows terms from the entry before the first to the last", () => {
    const storage = newStorage();
    expect(termsFrom(storage)).toEqual(["compacted", 3, 4, 5, 5, "unavailable"]);
    expect([storage.firstIndex(), storage.lastIndex()]).toEqual([4, 6]);
  });

  it("gives at least one entry, and then what fits", () => {
    const storage = newStorage();
    const [first, second, third] = entries(4, 4, 5, 5);
    const size = first === undefined ? 0 : entrySizeBytes(first);
    expect(storage.entries(index(4), index(7), 0)).toEqual([first]);
    expect(storage.entries(index(4), index(7), size * 2)).toEqual([first, second]);
    expect(storage.entries(index(5), index(7), size * 9)).toEqual([second, third]);
    expect(storage.entries(index(3), index(5), size)).toBe("compacted");
    expect(new MemoryStorage().entries(index(1), index(1), size)).toBe("unavailable");
  });

  it("replaces the tail that an append meets, and skips what is compacted", () => {
    const storage = newStorage();
    storage.append(entries(5, 6));
    expect(termsFrom(storage)).toEqual(["compacted", 3, 4, 6, "unavailable", "unavailable"]);
    storage.append(entries(2, 2, 3, 7, 7));
    expect(termsFrom(storage)).toEqual(["compacted", 3, 7, 7, "unavailable", "unavailable"]);
    expect(() => storage.append(entries(7, 7))).toThrow(/gap/);
  });

  it("compacts once up to an index, and keeps that one's term", () => {
    const storage = newStorage();
    expect(storage.compact(index(5))).toBe(true);
    expect(storage.compact(index(5))).toBe(false);
    expect(termsFrom(storage)).toEqual(["compacted", "compacted", "compacted", 5, 5, "unavailable"]);
  });

  it("makes a snapshot at an index of the log, and none that is older", () => {
    const storage = newStorage();
    expect(storage.createSnapshot(index(5), undefined, Uint8Array.of(9))?.metadata).toMatchObject({
      index: 5,
      term: 5,
      confState: { voters: [1] },
    });
    expect(storage.createSnapshot(index(5), undefined, Uint8Array.of(9))).toBeUndefined();
    expect(storage.lastIndex()).toBe(6);
  });

  it("is replaced by a newer snapshot only", () => {
    const storage = newStorage();
    expect(storage.applySnapshot(snapshotAt(3, 3))).toBe(false);
    expect(storage.applySnapshot(snapshotAt(9, 6))).toBe(true);
    expect([storage.firstIndex(), storage.lastIndex()]).toEqual([10, 9]);
    expect(storage.initialState().confState.voters).toEqual([1]);
  });
});

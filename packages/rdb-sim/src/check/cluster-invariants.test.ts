import { type Region, regionId, term } from "@flaredb/rdb-base";
import { WritePart, putRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, test } from "vitest";
import { REGION_ID, WatchedStore, bytes, region } from "../testing/watched-store.ts";
import { ClusterInvariants } from "./cluster-invariants.ts";
import type { Violation } from "./violation.ts";

/** Three Stores with one Region, and what is wrong with them. */
function scene() {
  const violations: Violation[] = [];
  const invariants = new ClusterInvariants((violation) => violations.push(violation));
  const stores = [1, 2, 3].map((place) => new WatchedStore(invariants, place));
  const [one, two, three] = stores as [WatchedStore, WatchedStore, WatchedStore];
  const wrong = (): string[] => [...new Set(violations.map(({ name }) => name))];
  /** Entries of term 6 that all three have. */
  const agree = (...texts: string[]): void =>
    stores.forEach((store) =>
      store.log(
        6,
        texts.map((text) => [6, text] as const),
      ),
    );
  return { invariants, violations, wrong, agree, one, two, three, stores };
}

test("what Stores may do: agree, commit, apply, compact, crash, and take snapshots", () => {
  const { violations, agree, one, two, three } = scene();
  agree("a", "b", "c");
  one.hardState({ term: 6, vote: 11, commit: 8 });
  one.apply(6, { a: "1" }, { revision: 1 });
  one.apply(7, { b: "2" }, { revision: 2 });
  one.compact(7);
  two.apply(6, { a: "1" }, { revision: 1 });
  one.apply(8, { b: undefined }, { revision: 3 });
  two.log(9, [[6, "lost"]], false);
  two.restart();
  two.apply(7, { b: "2" }, { revision: 2 });
  three.install(8, { a: "1" });
  three.restart();
  three.log(9, [[7, "d"]]);
  expect(violations).toEqual([]);
});

describe("elections", () => {
  test("one leader a term", () => {
    const { invariants, wrong } = scene();
    invariants.sawLeader("store-1", REGION_ID, term(6));
    invariants.sawLeader("store-1", REGION_ID, term(6));
    invariants.sawLeader("store-2", REGION_ID, term(7));
    expect(wrong()).toEqual([]);
    invariants.sawLeader("store-3", REGION_ID, term(7));
    expect(wrong()).toEqual(["one leader a term"]);
  });

  test("one vote a term", () => {
    const { one, wrong } = scene();
    one.hardState({ term: 6, commit: 5 });
    one.hardState({ term: 6, vote: 12, commit: 5 });
    one.hardState({ term: 7, vote: 13, commit: 5 });
    expect(wrong()).toEqual([]);
    one.hardState({ term: 7, vote: 12, commit: 5 });
    expect(wrong()).toEqual(["one vote a term"]);
  });

  test("a vote that never was durable may be another one after a crash; a durable one may not", () => {
    const { one, two, wrong } = scene();
    one.hardState({ term: 6, vote: 12, commit: 5 }, false);
    one.restart();
    one.hardState({ term: 6, vote: 13, commit: 5 });
    expect(wrong()).toEqual([]);
    two.hardState({ term: 6, vote: 12, commit: 5 });
    two.lose("hardState");
    two.restart();
    expect(wrong()).toEqual(["what is durable stays"]);
  });

  test("a disk that lost all of a peer is told, unless it was replaced", () => {
    const { one, two, wrong } = scene();
    one.loseAll();
    one.observer.wiped();
    one.restart();
    expect(wrong()).toEqual([]);
    two.loseAll();
    two.restart();
    expect(wrong()).toEqual(["what is durable stays"]);
  });

  test("terms never fall", () => {
    const { one, wrong } = scene();
    one.hardState({ term: 8, commit: 5 });
    one.hardState({ term: 7, commit: 5 });
    expect(wrong()).toEqual(["terms never fall"]);
  });
});

describe("logs", () => {
  test("an index and a term name one entry", () => {
    const { one, two, wrong } = scene();
    one.log(6, [[6, "a"]]);
    two.log(6, [[7, "b"]]);
    expect(wrong()).toEqual([]);
    two.log(6, [[6, "b"]]);
    expect(wrong()).toEqual(["log matching"]);
  });

  test("an index and a term name the entry before, too", () => {
    const { one, two, wrong } = scene();
    one.log(6, [
      [6, "a"],
      [8, "b"],
    ]);
    two.log(6, [
      [7, "a"],
      [8, "b"],
    ]);
    expect(wrong()).toEqual(["log matching"]);
  });

  test("no holes", () => {
    const { one, wrong } = scene();
    one.log(7, [[6, "b"]]);
    expect(wrong()).toEqual(["logs have no holes"]);
  });

  test("a conflicting tail is cut in the same part", () => {
    const { one, two, three, wrong } = scene();
    one.log(6, [
      [6, "a"],
      [6, "b"],
      [6, "c"],
    ]);
    two.log(6, [
      [6, "a"],
      [6, "b"],
      [6, "c"],
    ]);
    one.log(6, [[7, "x"], undefined, undefined]);
    three.log(6, [[6, "a"]]);
    expect(wrong()).toEqual([]);
    two.log(6, [[7, "x"]]);
    expect(wrong()).toEqual(["a conflicting tail is cut"]);
  });

  test("an entry that was durable is there after a crash", () => {
    const { one, two, agree, wrong } = scene();
    agree("a", "b");
    one.log(8, [[6, "c"]], false);
    one.restart();
    expect(wrong()).toEqual([]);
    two.lose(7);
    two.restart();
    expect(wrong()).toEqual(["what is durable stays"]);
  });
});

describe("commits", () => {
  test("a majority of the voters has it durably", () => {
    const { one, two, three, wrong } = scene();
    one.log(6, [[6, "a"]]);
    two.log(6, [[6, "a"]]);
    one.hardState({ term: 6, commit: 6 });
    expect(wrong()).toEqual([]);
    one.log(7, [[6, "b"]]);
    two.log(7, [[6, "b"]], false);
    three.log(6, [[6, "a"]]);
    one.hardState({ term: 6, commit: 7 });
    expect(wrong()).toEqual(["committed by a durable majority"]);
  });

  test("everybody commits the same", () => {
    const { one, two, three, wrong } = scene();
    one.log(6, [[6, "a"]]);
    two.log(6, [[6, "a"]]);
    three.log(6, [[7, "x"]]);
    one.hardState({ term: 6, commit: 6 });
    expect(wrong()).toEqual([]);
    three.hardState({ term: 7, commit: 6 });
    expect(wrong()).toEqual(["committed entries stay"]);
  });

  test("a committed entry is neither replaced nor deleted, but for compaction", () => {
    const replaced = scene();
    replaced.agree("a", "b");
    replaced.one.hardState({ term: 6, commit: 7 });
    replaced.one.log(7, [[7, "x"]]);
    expect(replaced.wrong()).toEqual(["committed entries stay"]);
    const deleted = scene();
    deleted.agree("a", "b");
    deleted.one.hardState({ term: 6, commit: 6 });
    deleted.one.log(7, [undefined]);
    expect(deleted.wrong()).toEqual([]);
    deleted.one.log(6, [undefined]);
    expect(deleted.wrong()).toEqual(["committed entries stay"]);
  });

  test("the commit index neither falls nor leaves the log behind", () => {
    const { one, two, agree, wrong } = scene();
    agree("a", "b");
    one.hardState({ term: 6, commit: 7 });
    one.hardState({ term: 6, commit: 6 });
    expect(wrong()).toEqual(["committed entries stay"]);
    two.hardState({ term: 6, commit: 8 });
    expect(wrong()).toContain("commit lies in the log");
  });

  test("what is committed is found again after a crash", () => {
    const { one, two, agree, wrong } = scene();
    agree("a");
    one.hardState({ term: 6, commit: 6 });
    two.log(6, [[7, "x"]], true);
    expect(wrong()).toEqual([]);
    two.hardState({ term: 7, commit: 6 }, false);
    expect(wrong()).toEqual(["committed entries stay"]);
  });
});

describe("applies", () => {
  test("only what is durable here", () => {
    const { one, two, three, wrong } = scene();
    two.log(6, [[6, "a"]]);
    three.log(6, [[6, "a"]]);
    one.log(6, [[6, "a"]], false);
    one.apply(6);
    expect(wrong()).toEqual(["applied is durable"]);
  });

  test("forward, and each entry as what it is", () => {
    const back = scene();
    back.agree("a", "b");
    back.one.apply(7);
    back.one.apply(6);
    expect(back.wrong()).toContain("applies go forward");
    const revision = scene();
    revision.agree("a", "b");
    revision.one.apply(6, {}, { revision: 4 });
    revision.one.apply(7, {}, { revision: 3 });
    expect(revision.wrong()).toEqual(["applies go forward"]);
    const other = scene();
    other.agree("a");
    other.one.apply(6, {}, { term: 7 });
    expect(other.wrong()).toEqual(["applies go forward"]);
  });

  const SAME = "same applied index, same state";

  test("peers on the same index have written the same, in the same order", () => {
    const { one, two, three, agree, violations, wrong } = scene();
    agree("a", "b");
    one.apply(6, { k: "1" });
    one.apply(7, { k: "2", l: "3" });
    two.apply(7, { k: "2", l: "3" }, {});
    // Two wrote less to get there, although it has the same rows.
    expect(wrong()).toEqual([SAME]);
    expect(violations[0]?.message).toContain(
      "store-1 and store-2 have applied 7 and differ: the writes that led there",
    );
    three.apply(6, { k: "other" });
    expect(violations.at(-1)?.message).toContain("the writes that led there; the rows");
  });

  test("parts may be cut anywhere", () => {
    const { one, two, agree, wrong } = scene();
    agree("a", "b");
    one.apply(6, { k: "1" }, { revision: 1 });
    one.apply(7, { l: "2" }, { revision: 1 });
    two.apply(7, { k: "1", l: "2" }, { revision: 1 });
    expect(wrong()).toEqual([]);
  });

  test("the state's own numbers agree", () => {
    const { one, two, agree, violations } = scene();
    agree("a");
    one.apply(6, {}, { revision: 1 });
    two.apply(6, {}, { revision: 2 });
    expect(violations.map(({ message }) => message)).toEqual([
      "Region 7: store-1 and store-2 have applied 6 and differ: revision 1 and 2",
    ]);
  });

  test("a deleted range counts, where it stands", () => {
    const { one, two, agree, wrong } = scene();
    agree("a");
    one.observer.deletedRange("data", { startKey: bytes("a"), endKey: bytes("b") });
    one.apply(6);
    two.apply(6);
    expect(wrong()).toEqual([SAME]);
  });

  test("a snapshot brings the rows of its index, and no others", () => {
    const good = scene();
    good.agree("a");
    good.one.apply(6, { k: "1" }, { revision: 1 });
    good.three.install(6, { k: "1" });
    expect(good.wrong()).toEqual([]);
    const old = scene();
    old.agree("a");
    old.three.apply(6, { old: "1" }, { revision: 1 });
    old.three.log(7, [[6, "b"]]);
    old.one.log(7, [[6, "b"]]);
    old.one.apply(6, { old: "1" }, { revision: 1 });
    old.one.apply(7, { old: undefined, k: "1" }, { revision: 1 });
    // Rows of revision 1, as the test Store has them.
    old.one.write({}, 1);
    old.three.install(7, { k: "1" }, { leavesOld: true });
    expect(old.wrong()).toEqual([SAME]);
    const unknown = scene();
    unknown.three.install(9, {});
    expect(unknown.wrong()).toEqual([SAME]);
  });

  test("a restart finds the rows of the index that it finds", () => {
    const { one, two, agree, wrong } = scene();
    agree("a");
    one.apply(6, { k: "1" });
    two.apply(6, { k: "1" });
    one.restart();
    expect(wrong()).toEqual([]);
    two.corrupt("k", "2");
    two.restart();
    expect(wrong()).toEqual([SAME]);
  });

  test("a restart finds an index that somebody has applied", () => {
    const { one, agree, violations } = scene();
    agree("a");
    one.forgeApplied(6);
    one.restart();
    expect(violations.map(({ message }) => message)).toEqual([
      "Region 7 on store-1: 6 is applied on its disk, and nobody ever applied it",
    ]);
  });

  test("a snapshot may be made between the deletion of a range and its entry, with just these rows", () => {
    const { one, two, three, agree, wrong } = scene();
    agree("a", "b");
    one.apply(6, { a: "1", b: "2" }, { revision: 1 });
    one.observer.deletedRange("data", { startKey: bytes("a"), endKey: bytes("b") });
    two.install(6, { b: "2" });
    expect(wrong()).toEqual([]);
    three.install(6, { a: "1" });
    expect(wrong()).toEqual([SAME]);
  });

  test("a crash between the deletion of a range and its entry is mended by applying the entry again", () => {
    const { one, two, agree, wrong } = scene();
    agree("a", "b");
    for (const store of [one, two]) {
      store.apply(6, { a: "1" }, { revision: 1 });
    }
    const range = { startKey: bytes("a"), endKey: bytes("b") };
    one.observer.deletedRange("data", range);
    one.loseRow("a");
    one.restart();
    one.restart();
    one.observer.deletedRange("data", range);
    one.apply(7, {}, { revision: 2 });
    two.observer.deletedRange("data", range);
    two.apply(7, {}, { revision: 2 });
    expect(wrong()).toEqual([]);
  });
});

describe("Regions", () => {
  const TILE = "Regions tile the key space";
  const part = (id: number, from: string, to: string, version = 1): Region =>
    region({ id: regionId(id), startKey: bytes(from), endKey: bytes(to), epoch: { confVer: 1, version } });

  test("rows lie in one of the Store's Regions", () => {
    const { one, wrong } = scene();
    one.regionState("Normal", { endKey: bytes("m"), epoch: { confVer: 1, version: 2 } });
    one.write({ n: "1" });
    expect(wrong()).toEqual(["rows lie in their Regions"]);
  });

  test("a Store's Regions do not overlap", () => {
    const { one, wrong } = scene();
    const written = new WritePart();
    putRegionLocalState(written, { state: "Normal", region: part(8, "m", "") });
    one.submit(written);
    expect(wrong()).toEqual([TILE]);
  });

  test("an epoch stands for one range and one set of peers", () => {
    const { one, two, wrong } = scene();
    one.regionState("Normal", { endKey: bytes("m"), epoch: { confVer: 1, version: 2 } });
    two.regionState("Normal", { endKey: bytes("n"), epoch: { confVer: 1, version: 2 } });
    expect(wrong()).toEqual(["an epoch stands for one Region"]);
  });

  test("epochs never go back, on a Store or in PD's map", () => {
    const { one, invariants, wrong, violations } = scene();
    one.regionState("Normal", { epoch: { confVer: 2, version: 1 } });
    one.regionState("Normal");
    invariants.sawMap([part(1, "", "", 2)]);
    invariants.sawMap([part(1, "", "", 1)]);
    expect(wrong()).toEqual(["epochs never go back"]);
    expect(violations).toHaveLength(2);
  });

  test("PD's map has no gap, no overlap and no end", () => {
    const { invariants, wrong, violations } = scene();
    invariants.sawMap([]);
    invariants.sawMap([part(2, "m", ""), part(1, "", "m")]);
    expect(wrong()).toEqual([]);
    invariants.sawMap([part(1, "", "k"), part(2, "m", "")]);
    invariants.sawMap([part(1, "", "n"), part(2, "m", "")]);
    invariants.sawMap([part(1, "", "m"), part(2, "m", "x")]);
    invariants.sawMap([part(1, "a", "")]);
    expect(wrong()).toEqual([TILE]);
    expect(violations).toHaveLength(4);
  });
});

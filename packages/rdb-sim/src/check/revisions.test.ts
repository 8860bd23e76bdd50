import { describe, expect, test } from "vitest";
import {
  batchGet,
  batchPut,
  cas,
  conditionalBatch,
  deleteRange,
  failed,
  get,
  put,
  remove,
  row,
  scan,
  unknown,
} from "../testing/calls.ts";
import type { Call } from "./history.ts";
import { type RevisionOptions, checkRevisions } from "./revisions.ts";

const at = (from: number, to: number, revision: number, region = 1) => ({ from, to, revision, region });
const wrong = (calls: readonly Call[], options?: RevisionOptions): string[] =>
  checkRevisions(calls, options).map(({ name }) => name);

describe("answers that Regions can have given", () => {
  test("each kind of call, one after the other", () => {
    const history = [
      put("a", "1", at(0, 1, 1)),
      batchPut({ b: "2", c: "3" }, at(2, 3, 3)),
      get("a", row("a", "1", 1), at(4, 5, 3)),
      batchGet(["a", "x", "c"], [row("a", "1", 1), row("c", "3", 3)], at(6, 7, 3)),
      remove("b", at(8, 9, 4), true),
      remove("b", at(10, 11, 5), false),
      cas("a", { kind: "version", version: 1 }, "4", true, at(12, 13, 6)),
      cas("a", { kind: "value", value: "1" }, "5", 6, at(14, 15, 6)),
      conditionalBatch(
        { a: 6, b: 0 },
        [
          { key: "b", value: "7" },
          { key: "a", value: "8" },
        ],
        [],
        at(16, 17, 8),
      ),
      scan(["a", "c"], [row("a", "8", 8), row("b", "7", 7)], at(18, 19, 8)),
      deleteRange(["", ""], at(20, 21, 9)),
      scan(["", ""], [], at(22, 23, 9)),
    ];
    expect(wrong(history)).toEqual([]);
  });

  test("a row that was deleted and put again, which nobody heard of but by its version or that it is there", () => {
    const history = [
      put("a", "1", at(0, 1, 1)),
      unknown(remove("a", at(2, 3, 0))),
      get("a", undefined, at(4, 5, 2)),
      unknown(put("a", "2", at(6, 7, 0))),
    ];
    expect(wrong([...history, cas("a", { kind: "version", version: 1 }, "3", 3, at(8, 9, 3))])).toEqual([]);
    expect(wrong([...history, remove("a", at(8, 9, 4), true)])).toEqual([]);
  });

  test("a read that runs beside writes shows any one of their revisions, and that one exactly", () => {
    const writes = [put("a", "1", at(0, 90, 1)), put("b", "2", at(0, 90, 2)), put("a", "3", at(0, 90, 3))];
    const states = [
      [],
      [row("a", "1", 1)],
      [row("a", "1", 1), row("b", "2", 2)],
      [row("a", "3", 3), row("b", "2", 2)],
    ];
    for (const [revision, rows] of states.entries()) {
      expect(wrong([...writes, scan(["", ""], rows, at(10, 20, revision))])).toEqual([]);
    }
  });

  test("Regions count for themselves", () => {
    expect(wrong([put("a", "1", at(0, 1, 1, 1)), put("z", "2", at(2, 3, 1, 2))])).toEqual([]);
  });

  test("a gap is a write of unknown outcome, seen or not", () => {
    const lost = unknown(put("a", "1", at(0, 1, 0)));
    const seen = get("a", row("a", "1", 1), at(4, 5, 2));
    expect(wrong([lost, put("b", "2", at(2, 3, 2))])).toEqual([]);
    expect(wrong([lost, put("b", "2", at(2, 3, 2)), seen])).toEqual([]);
  });

  test("a row is gone by a deletion of unknown outcome", () => {
    const history = [put("a", "1", at(0, 1, 1)), get("a", undefined, at(4, 5, 2))];
    expect(wrong([...history, unknown(remove("a", at(2, 3, 0)))])).toEqual([]);
    expect(wrong([...history, unknown(deleteRange(["", ""], at(2, 3, 0)))])).toEqual([]);
  });

  test("a Region that was split off goes on with what it began with", () => {
    const descents = [{ regionId: 2, parentId: 1, revision: 3, order: 1, from: "m", to: "" }];
    const history = [
      batchPut({ a: "1", y: "2", z: "3" }, at(0, 1, 3)),
      put("a", "4", at(2, 3, 4, 1)),
      put("z", "5", at(2, 3, 4, 2)),
      scan(["m", ""], [row("y", "2", 2), row("z", "5", 4)], at(4, 5, 4, 2)),
      get("y", row("y", "2", 2), at(6, 7, 4, 2)),
    ];
    expect(wrong(history, { descents })).toEqual([]);
    expect(wrong(history)).not.toEqual([]);
  });

  test("a Region that took another one goes on with the rows of both, at the greater revision", () => {
    const joinings = [
      { regionId: 1, sourceId: 2, before: 1, revision: 3, sourceRevision: 3, order: 2, from: "m", to: "" },
    ];
    const history = [
      put("a", "1", at(0, 1, 1, 1)),
      batchPut({ x: "1", y: "2", z: "3" }, at(2, 3, 3, 2)),
      scan(["", ""], [row("a", "1", 1), row("x", "1", 1), row("y", "2", 2), row("z", "3", 3)], at(4, 5, 3)),
      put("z", "5", at(6, 7, 4)),
      get("y", row("y", "2", 2), at(8, 9, 4)),
    ];
    expect(wrong(history, { joinings })).toEqual([]);
    expect(wrong(history)).not.toEqual([]);
  });

  test("a key may leave its Region by a split and come back by a merge", () => {
    const descents = [{ regionId: 2, parentId: 1, revision: 1, order: 1, from: "m", to: "" }];
    const joinings = [
      { regionId: 1, sourceId: 2, before: 1, revision: 2, sourceRevision: 2, order: 2, from: "m", to: "" },
    ];
    const history = [
      put("z", "1", at(0, 1, 1, 1)),
      put("z", "2", at(2, 3, 2, 2)),
      put("z", "3", at(4, 5, 3, 1)),
      get("z", row("z", "3", 3), at(6, 7, 3, 1)),
    ];
    expect(wrong(history, { descents, joinings })).toEqual([]);
  });
});

test("a write that is tried again gets its recorded answer from whoever has the key by then", () => {
  const descents = [{ regionId: 2, parentId: 1, revision: 2, order: 1, from: "m", to: "" }];
  const history = [
    put("z", "1", at(0, 9, 1, 2)),
    put("a", "2", at(1, 2, 2, 1)),
    put("z", "3", at(3, 4, 3, 2)),
    get("z", row("z", "3", 3), at(5, 6, 3, 2)),
  ];
  expect(wrong(history, { descents })).toEqual([]);
});

test("a comparison that did not hold at the last revision before a merge is answered by whoever took its Region", () => {
  const joinings = [
    { regionId: 1, sourceId: 2, before: 3, revision: 3, sourceRevision: 1, order: 2, from: "m", to: "" },
  ];
  const history = [
    put("z", "1", at(0, 1, 1, 2)),
    batchPut({ a: "1", b: "2", c: "3" }, at(2, 3, 3, 1)),
    cas("z", { kind: "version", version: 7 }, "4", 1, at(4, 9, 1, 1)),
  ];
  expect(wrong(history, { joinings })).toEqual([]);
});

test("a split and a merge with nothing written between them", () => {
  const descents = [
    { regionId: 2, parentId: 1, revision: 1, order: 1, from: "m", to: "" },
    { regionId: 3, parentId: 1, revision: 1, order: 3, from: "m", to: "" },
  ];
  const joinings = [
    { regionId: 1, sourceId: 2, before: 1, revision: 1, sourceRevision: 1, order: 2, from: "m", to: "" },
    { regionId: 1, sourceId: 3, before: 1, revision: 1, sourceRevision: 1, order: 4, from: "m", to: "" },
  ];
  const history = [put("z", "1", at(0, 1, 1, 1)), get("z", row("z", "1", 1), at(2, 3, 1, 1))];
  expect(wrong(history, { descents, joinings })).toEqual([]);
});

test("a comparison of two keys that did not hold, where a split at that revision parted them for a while", () => {
  const descents = [{ regionId: 2, parentId: 1, revision: 2, order: 1, from: "m", to: "" }];
  const joinings = [
    { regionId: 1, sourceId: 2, before: 3, revision: 3, sourceRevision: 2, order: 2, from: "m", to: "" },
  ];
  const history = [
    batchPut({ a: "1", z: "2" }, at(0, 1, 2, 1)),
    conditionalBatch({ z: 2, a: 9 }, [{ key: "z", value: "3" }], [1], at(2, 3, 2, 1)),
    put("b", "4", at(4, 5, 3, 1)),
  ];
  expect(wrong(history, { descents, joinings })).toEqual([]);
});

describe("owners of keys", () => {
  const OWNER = "a key has one owner";
  const descents = [{ regionId: 2, parentId: 1, revision: 1, order: 1, from: "m", to: "" }];
  const before = put("z", "1", at(0, 1, 1, 1));

  test("the parent of a split answers no more for what went to the child", () => {
    const history = [before, put("a", "2", at(2, 3, 2, 1)), get("z", row("z", "1", 1), at(4, 5, 2, 1))];
    expect(wrong(history, { descents })).toContain(OWNER);
  });

  test("nor at its old revision, once the child has shown more", () => {
    const old = get("z", row("z", "1", 1), at(4, 5, 1, 1));
    expect(wrong([before, old], { descents })).toEqual([]);
    expect(wrong([before, put("z", "2", at(2, 3, 2, 2)), old], { descents })).toEqual([OWNER]);
  });

  test("a child answers for nothing outside of what it got", () => {
    expect(wrong([before, get("a", undefined, at(4, 5, 1, 2))], { descents })).toEqual([OWNER]);
  });

  test("the source of a merge answers no more for what the target took", () => {
    const joinings = [
      { regionId: 1, sourceId: 2, before: 0, revision: 1, sourceRevision: 1, order: 2, from: "m", to: "" },
    ];
    const history = [put("z", "1", at(0, 1, 1, 2)), put("z", "2", at(2, 3, 2, 1))];
    expect(wrong(history, { joinings })).toEqual([]);
    expect(wrong([...history, get("z", row("z", "1", 1), at(4, 5, 1, 2))], { joinings })).toEqual([OWNER]);
  });
});

describe("answers that no Region can have given", () => {
  const two = [put("a", "1", at(0, 1, 1)), put("b", "2", at(2, 3, 2))];
  const NEVER = "answer that its Region never was";

  test("a page that misses a row", () => {
    expect(wrong([...two, scan(["", ""], [row("b", "2", 2)], at(4, 5, 2))])).toEqual([NEVER]);
  });

  test("a batch that mixes two revisions", () => {
    const mixed = batchGet(["a", "b"], [row("a", "1", 1), row("b", "2", 2)], at(1, 9, 2));
    expect(
      wrong([...two, put("a", "3", at(1, 9, 3)), { ...mixed, shown: { regionId: 1, revision: 3 } }]),
    ).toEqual([NEVER]);
  });

  test("a page that shows what comes later", () => {
    const early = scan(["", ""], [row("a", "1", 1), row("b", "2", 2)], at(0, 9, 1));
    expect(wrong([put("a", "1", at(0, 9, 1)), put("b", "2", at(0, 9, 2)), early])).toContain(
      "version ahead of its revision",
    );
  });

  test("a row that was deleted", () => {
    const stale = get("a", row("a", "1", 1), at(4, 5, 3));
    expect(wrong([...two, remove("a", at(2, 3, 3)), stale])).toEqual([NEVER]);
    expect(wrong([...two, deleteRange(["a", "b"], at(2, 3, 3)), stale])).toEqual([NEVER]);
  });

  test("a deletion that says the wrong thing of what was there", () => {
    expect(wrong([...two, remove("a", at(4, 5, 3), false)])).toEqual([NEVER]);
    expect(wrong([...two, remove("x", at(4, 5, 3), true)])).toEqual([NEVER]);
  });

  test("conditions that held and did not", () => {
    expect(wrong([...two, cas("a", { kind: "version", version: 2 }, "x", true, at(4, 5, 3))])).toEqual([
      NEVER,
    ]);
    expect(wrong([...two, cas("a", { kind: "value", value: "9" }, "x", true, at(4, 5, 3))])).toEqual([NEVER]);
    expect(wrong([...two, cas("a", { kind: "absent" }, "x", true, at(4, 5, 3))])).toEqual([NEVER]);
    expect(wrong([...two, cas("a", { kind: "version", version: 7 }, "x", 2, at(4, 5, 2))])).toEqual([NEVER]);
    const batch = conditionalBatch({ a: 1, b: 1 }, [{ key: "a", value: "x" }], [], at(4, 5, 3));
    expect(wrong([...two, batch])).toEqual([NEVER]);
  });

  test("one revision for two writes", () => {
    expect(wrong([put("a", "1", at(0, 9, 1)), put("b", "2", at(0, 9, 1))])).toEqual(["revision taken twice"]);
  });

  test("one revision for a write and a deleted range", () => {
    const history = [put("a", "1", at(0, 9, 1)), deleteRange(["x", ""], at(0, 9, 1))];
    expect(wrong(history)).toEqual(["revision taken twice"]);
  });

  test("two answers of one revision that differ", () => {
    const history = [
      put("a", "1", at(0, 1, 1)),
      unknown(remove("a", at(2, 3, 0))),
      get("a", undefined, at(4, 9, 2)),
      get("a", row("a", "1", 1), at(4, 9, 2)),
    ];
    expect(wrong(history)).toEqual(["row that comes back"]);
  });

  test("a revision that nobody took", () => {
    expect(wrong([put("a", "1", at(0, 1, 1)), put("b", "2", at(2, 3, 3))])).toEqual([
      "write that nobody asked for",
    ]);
    expect(wrong([put("a", "1", at(0, 1, 1)), get("a", row("a", "1", 1), at(2, 3, 2))])).toEqual([
      "write that nobody asked for",
    ]);
  });

  test("one write of unknown outcome that would have to stand at two revisions", () => {
    const history = [unknown(put("x", "1", at(0, 1, 0))), put("a", "1", at(2, 3, 3))];
    expect(wrong(history)).toEqual(["write that nobody asked for"]);
  });

  test("a write of unknown outcome that began after the revision was past", () => {
    const history = [put("a", "1", at(0, 1, 2)), unknown(put("x", "1", at(2, 3, 0)))];
    expect(wrong(history)).toEqual(["write that nobody asked for"]);
  });

  test("a value that was refused, or written under another key", () => {
    const read = get("a", row("a", "1", 1), at(2, 3, 1));
    expect(wrong([failed(put("a", "1", at(0, 1, 0))), read])).toContain("write that nobody asked for");
    expect(wrong([unknown(put("a", "2", at(0, 1, 0))), read])).toContain("write that nobody asked for");
    expect(wrong([put("b", "1", at(0, 1, 1)), read])).toContain("version of another write");
    expect(wrong([put("a", "2", at(0, 1, 1)), read])).toContain("version of another write");
  });

  test("a revision that goes back", () => {
    expect(wrong([...two, get("a", row("a", "1", 1), at(4, 5, 1))])).toEqual(["revision goes back"]);
  });

  test("a write without a revision of its own", () => {
    expect(wrong([...two, get("b", row("b", "2", 2), at(4, 5, 3)), put("c", "3", at(6, 7, 3))])).toEqual([
      "revision goes back",
    ]);
  });

  test("a row that is missed at one revision and there at a later one", () => {
    const history = [
      put("a", "1", at(0, 1, 1)),
      unknown(remove("a", at(2, 3, 0))),
      unknown(put("x", "1", at(2, 3, 0))),
      get("a", undefined, at(2, 9, 2)),
      get("a", row("a", "1", 1), at(2, 9, 3)),
    ];
    expect(wrong(history)).toEqual(["row that comes back"]);
  });

  test("a message names the Region, the revision and the calls", () => {
    const [violation] = checkRevisions([...two, scan(["", ""], [row("b", "2", 2)], at(4, 5, 2))]);
    expect(violation?.message).toContain('Region 1 had "a"="1" of revision 1 at revision 2');
    expect(violation?.message.split("\n")).toHaveLength(3);
  });
});

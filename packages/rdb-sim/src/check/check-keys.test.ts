import { describe, expect, test } from "vitest";
import {
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
import { checkKeys } from "./check-keys.ts";
import type { Call } from "./history.ts";

const at = (from: number, to: number, revision?: number) => ({
  from,
  to,
  ...(revision === undefined ? {} : { revision }),
});

/** Names of what is wrong, with the keys. */
function wrong(...calls: Call[]): string[] {
  return checkKeys(calls).map(({ name, message }) => `${name} ${/key "(.*?)"/.exec(message)?.[1]}`);
}

describe("histories that are linearizable", () => {
  test("of calls one after the other", () => {
    const history = [
      get("k", undefined, at(0, 1, 0)),
      put("k", "a", at(2, 3, 1)),
      get("k", row("k", "a", 1), at(4, 5, 1)),
      remove("k", at(6, 7, 2), true),
      get("k", undefined, at(8, 9, 2)),
    ];
    expect(wrong(...history)).toEqual([]);
  });

  test("a read during a write may see the value before or after it", () => {
    for (const seen of [undefined, row("k", "a", 1)]) {
      expect(wrong(put("k", "a", at(0, 10)), get("k", seen, at(1, 2)))).toEqual([]);
    }
  });

  test("calls that touch in one instant may be in either order", () => {
    expect(wrong(put("k", "a", at(0, 5)), get("k", undefined, at(5, 6)))).toEqual([]);
  });

  test("a deletion waits for what it has to delete", () => {
    const history = [put("k", "a", at(0, 2)), remove("k", at(0, 10)), get("k", row("k", "a", 1), at(3, 4))];
    expect(wrong(...history, get("k", undefined, at(5, 6)))).toEqual([]);
  });

  test("an unknown write never takes effect", () => {
    const lost = unknown(put("k", "a", at(0, 1)));
    expect(wrong(lost, get("k", undefined, at(10, 11)), get("k", undefined, at(12, 13)))).toEqual([]);
  });

  test("an unknown write takes effect late, after other writes", () => {
    const late = unknown(put("k", "late", at(0, 1)));
    const others = [put("k", "b", at(2, 3, 1)), get("k", row("k", "b", 1), at(4, 5, 1))];
    expect(wrong(late, ...others, get("k", row("k", "late", 2), at(6, 7, 2)))).toEqual([]);
  });

  test("an unknown delete explains why a key is gone, and its version goes on rising", () => {
    const gone = unknown(remove("k", at(2, 3)));
    const history = [
      put("k", "a", at(0, 1, 1)),
      gone,
      get("k", undefined, at(4, 5, 2)),
      put("k", "b", at(6, 7, 3)),
    ];
    expect(wrong(...history, get("k", row("k", "b", 3), at(8, 9, 3)))).toEqual([]);
  });

  test("an unknown compare-and-swap took effect before the next one failed", () => {
    const lost = unknown(cas("k", { kind: "version", version: 1 }, "b", true, at(2, 3)));
    const second = cas("k", { kind: "version", version: 1 }, "c", 2, at(4, 5, 2));
    expect(wrong(put("k", "a", at(0, 1, 1)), lost, second)).toEqual([]);
  });

  test("a version that is told without its value belongs to the write that a later read shows", () => {
    const history = [
      put("k", "b", at(0, 5)),
      put("k", "a", at(1, 6)),
      cas("k", { kind: "version", version: 9 }, "c", 2, at(7, 8)),
      get("k", row("k", "b", 2), at(9, 10)),
    ];
    expect(wrong(...history)).toEqual([]);
  });

  test("a write that was refused stays unseen", () => {
    expect(wrong(failed(put("k", "a", at(0, 1))), get("k", undefined, at(2, 3)))).toEqual([]);
  });

  test("conditional batches and deleted ranges count for each of their keys", () => {
    const history = [
      conditionalBatch(
        { a: 0, b: 0 },
        [
          { key: "a", value: "1" },
          { key: "b", value: "2" },
        ],
        [],
        at(0, 1, 2),
      ),
      conditionalBatch({ a: 1, b: 1 }, [{ key: "a", value: "x" }], [1], at(2, 3, 2)),
      scan(["a", "c"], [row("a", "1", 1), row("b", "2", 2)], at(4, 5, 2)),
      deleteRange(["a", "b"], at(6, 7, 3)),
      scan(["a", "c"], [row("b", "2", 2)], at(8, 9, 3)),
    ];
    expect(wrong(...history)).toEqual([]);
  });
});

describe("histories that are not", () => {
  test("a stale read", () => {
    const history = [put("k", "a", at(0, 1)), put("k", "b", at(2, 3)), get("k", row("k", "a", 1), at(4, 5))];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("a lost update", () => {
    expect(wrong(put("k", "a", at(0, 1)), get("k", undefined, at(2, 3)))).toEqual(["linearizability k"]);
  });

  test("a write that is applied twice, around another one", () => {
    const history = [
      put("k", "a", at(0, 1)),
      put("k", "b", at(2, 3)),
      get("k", row("k", "b", 2), at(4, 5)),
      get("k", row("k", "a", 3), at(6, 7)),
    ];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("an unknown write that is applied twice, around another one", () => {
    const history = [
      unknown(put("k", "a", at(0, 1))),
      get("k", row("k", "a", 1), at(2, 3)),
      put("k", "b", at(4, 5, 2)),
      get("k", row("k", "a", 3), at(6, 7)),
    ];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("a read of an unknown write that vanishes then", () => {
    const history = [
      unknown(put("k", "a", at(0, 1))),
      get("k", row("k", "a", 1), at(2, 3)),
      get("k", undefined, at(4, 5)),
    ];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("reads that go back", () => {
    const history = [
      put("k", "a", at(0, 1)),
      put("k", "b", at(2, 20)),
      get("k", row("k", "b", 2), at(4, 5)),
      get("k", row("k", "a", 1), at(6, 7)),
    ];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("a compare-and-swap that succeeds although its version was over", () => {
    const history = [
      put("k", "a", at(0, 1, 1)),
      put("k", "b", at(2, 3, 2)),
      cas("k", { kind: "version", version: 1 }, "c", true, at(4, 5, 3)),
    ];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("a compare-and-swap that fails although its value is there", () => {
    const lie = cas("k", { kind: "value", value: "a" }, "c", 1, at(2, 3, 1));
    expect(wrong(put("k", "a", at(0, 1, 1)), lie)).toEqual(["linearizability k"]);
  });

  test("two compare-and-swaps that both succeed from one version", () => {
    const swap = (value: string, from: number) =>
      cas("k", { kind: "version", version: 1 }, value, true, at(from, 20));
    expect(wrong(put("k", "a", at(0, 1, 1)), swap("b", 2), swap("c", 3))).toEqual(["linearizability k"]);
  });

  test("a version that falls", () => {
    expect(wrong(put("k", "a", at(0, 1, 5)), put("k", "b", at(2, 3, 4)))).toEqual(["linearizability k"]);
  });

  test("a delete that says that there was no such key", () => {
    expect(wrong(put("k", "a", at(0, 1)), remove("k", at(2, 3), false))).toEqual(["linearizability k"]);
  });

  test("a value that was refused is read", () => {
    const history = [failed(put("k", "a", at(0, 1))), get("k", row("k", "a", 1), at(2, 3))];
    expect(wrong(...history)).toEqual(["linearizability k"]);
  });

  test("a scan that shows a key of a deleted range", () => {
    const history = [
      put("a", "1", at(0, 1, 1)),
      deleteRange(["a", "b"], at(2, 3, 2)),
      scan(["", ""], [row("a", "1", 1)], at(4, 5, 2)),
    ];
    expect(wrong(...history)).toEqual(["linearizability a"]);
  });

  test("a conditional batch that was refused for the wrong key", () => {
    const history = [
      put("a", "1", at(0, 1, 1)),
      conditionalBatch({ a: 1, b: 0 }, [{ key: "a", value: "x" }], [0], at(2, 3, 1)),
    ];
    expect(wrong(...history)).toEqual(["linearizability a"]);
  });
});

test("an explanation shows the order that was found, the state and the calls that do not fit", () => {
  const [violation] = checkKeys([
    put("k", "a", { from: 1_000_000, to: 2_000_000, client: "c1", revision: 1 }),
    unknown(put("k", "z", { from: 2_500_000, to: 9_000_000, client: "c3" })),
    put("k", "b", { from: 3_000_000, to: 4_000_000, client: "c2", revision: 2 }),
    get("k", row("k", "a", 1), { from: 5_000_000, to: 6_000_000, client: "c1", revision: 2 }),
  ]);
  expect(violation?.message).toMatchInlineSnapshot(`
    "key "k": no order of its 4 calls makes every answer right
    the longest one has 2 calls and ends with
      c1      1.000..2.000      [===]                             put "k"="a" -> done (Region 1 at 1)
      c2      3.000..4.000              [===]                     put "k"="b" -> done (Region 1 at 2)
    then there is "b" at version 2, and none of these can come next:
      c1      5.000..6.000                      [==]              get "k" -> "k"="a"@1 (Region 1 at 2)
    whose outcome is unknown, and which would not help:
      c3      2.500..9.000            [========================>  put "k"="z" -> unknown"
  `);
});

test("a search that gives up is no proof", () => {
  const calls = Array.from({ length: 12 }, (_, place) => put("k", `v${place}`, at(place, 1_000)));
  const never = get("k", row("k", "never written", 1), at(50, 60));
  expect(checkKeys([...calls, never], 1_000)[0]?.name).toBe("linearizability undecided");
});

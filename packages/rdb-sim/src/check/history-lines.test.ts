import { expect, test } from "vitest";
import {
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
import { checkKeys } from "./check-keys.ts";
import type { Call } from "./history.ts";
import { callsOfLines, historyLines } from "./history-lines.ts";

const at = (from: number, to: number, revision: number) => ({ from, to, client: "c", revision });

const calls: Call[] = [
  put("a", "1", at(0, 1, 1)),
  batchPut({ b: "2", c: "3" }, at(2, 3, 3)),
  scan(["a", "c"], [row("a", "1", 1), row("b", "2", 2)], at(4, 5, 3)),
  cas("a", { kind: "version", version: 1 }, "4", true, at(6, 7, 4)),
  cas("a", { kind: "absent" }, "5", 4, at(8, 9, 4)),
  unknown(cas("b", { kind: "value", value: "2" }, "6", true, at(10, 11, 0))),
  failed(put("c", "7", at(12, 13, 0))),
  remove("c", at(14, 15, 5), true),
  get("c", undefined, at(16, 17, 5)),
  conditionalBatch(
    { a: 4, c: 0 },
    [
      { key: "a", value: "8" },
      { key: "c", value: "9" },
    ],
    [],
    at(18, 19, 7),
  ),
  deleteRange(["a", "b"], at(20, 21, 8)),
];

const lines = (): string[] => [...historyLines(calls)];

test("each key of a call is a line, with the fields that foreign checkers read", () => {
  const parsed = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  const times = (startNs: number) => ({ client: "c", startNs, endNs: startNs + 1 });
  expect(parsed[0]).toEqual({
    ...times(0),
    ...{ op: "put", key: "a", value: "1", result: "ok", version: 1, call: 0, regionId: 1, revision: 1 },
  });
  expect(parsed.slice(1, 3)).toMatchObject([
    { ...times(2), op: "put", key: "b", version: 2, call: 1 },
    { ...times(2), op: "put", key: "c", version: 3, call: 1 },
  ]);
  expect(parsed.slice(3, 5)).toMatchObject([
    { op: "get", key: "a", result: "ok", output: "1", version: 1, call: 2 },
    { op: "get", key: "b", result: "ok", output: "2", version: 2, call: 2 },
  ]);
  expect(parsed.slice(5, 9)).toMatchObject([
    { op: "cas", key: "a", value: "4", expectVersion: 1, result: "ok", version: 4 },
    { op: "cas", key: "a", value: "5", expectVersion: 0, result: "fail", version: 4 },
    { op: "cas", key: "b", value: "6", expectValue: "2", result: "unknown" },
    { op: "put", key: "c", value: "7", result: "fail" },
  ]);
  expect(parsed.slice(9)).toMatchObject([
    { op: "delete", key: "c", result: "ok", version: 5 },
    { op: "get", key: "c", output: null },
    { op: "cas", key: "a", value: "8", expectVersion: 4, result: "ok", version: 6, call: 9 },
    { op: "cas", key: "c", value: "9", expectVersion: 0, result: "ok", version: 7, call: 9 },
    { op: "delete", key: "a", version: 8, call: 10 },
  ]);
  expect(lines().every((line) => line.endsWith("}\n"))).toBe(true);
});

test("what was written can be read and judged again", () => {
  const read = callsOfLines(lines().join(""));
  expect(read).toHaveLength(lines().length);
  expect(checkKeys(calls)).toEqual([]);
  expect(checkKeys(read)).toEqual([]);
  expect([...historyLines(read)].map((line) => ({ ...JSON.parse(line), call: 0, revision: 0 }))).toEqual(
    lines().map((line) => ({ ...JSON.parse(line), call: 0, revision: 0 })),
  );
  const lie = lines().map((line) => line.replace('"output":"2"', '"output":"3"'));
  expect(checkKeys(callsOfLines(lie.join(""))).map(({ name }) => name)).toEqual(["linearizability"]);
});

test("a line that is none is named", () => {
  expect(() => callsOfLines('{"op":"get"}\n\nno line')).toThrow(
    "line 3 of the history cannot be read: no line",
  );
});

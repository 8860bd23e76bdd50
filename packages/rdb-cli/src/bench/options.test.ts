import { describe, expect, test } from "vitest";
import { type BenchKind, type RawBenchOptions, benchDefaults, parseBenchOptions } from "./options.ts";
import { shareOut } from "./run-bench.ts";

describe("parseBenchOptions", () => {
  test("what is not said has its default", () => {
    expect(parseBenchOptions("put", {})).toEqual({
      kind: "put",
      ...benchDefaults,
      total: undefined,
      rate: undefined,
      place: 0,
      zipf: undefined,
      fill: false,
    });
  });

  test("a total has no end in time", () => {
    expect(parseBenchOptions("get", { total: "1000" })).toMatchObject({ total: 1_000, seconds: undefined });
  });

  const refused: [BenchKind, RawBenchOptions, string][] = [
    ["put", { clients: "0" }, "clients 0 must be a whole number from 1 to 100000"],
    ["put", { clients: "many" }, "clients many must be a whole number"],
    ["put", { seconds: "0" }, "seconds 0 must be a number from 0.1 to 86400"],
    ["put", { seconds: "1e3" }, "seconds 1e3 must be a number"],
    ["put", { seconds: "5", total: "5" }, "--total and --seconds cannot be combined"],
    ["put", { rate: "-1" }, "rate -1 must be a number from 0.1 to 10000000"],
    ["put", { zipf: "0" }, "zipf 0 must be a number from 0.01 to 10"],
    ["put", { keySize: "8", keys: "1000" }, "key-size 8 is too short for 1000 keys: it must be at least 9"],
    ["put", { valueSize: "8388609" }, "value-size 8388609 must be a whole number from 0 to 8388608"],
    ["put", { processes: "4", clients: "3" }, "processes 4 must be at most clients 3"],
    ["put", { processes: "4", total: "3" }, "processes 4 must be at most total 3"],
    ["mixed", { readShare: "1.1" }, "read-share 1.1 must be a number from 0 to 1"],
    ["scan", { pageSize: "10001" }, "page-size 10001 must be a whole number from 1 to 10000"],
    ["batch-put", { batchSize: "10001" }, "batch-size 10001 must be a whole number from 1 to 10000"],
    [
      "batch-put",
      { batchSize: "100", valueSize: "1000000" },
      "batch-size 100 makes batches of 100001600 bytes",
    ],
    ["batch-get", { batchSize: "100", keys: "10" }, "batch-size 100 must be at most keys 10"],
  ];
  test.each(refused)("%s with %j is refused: %s", (kind, raw, message) => {
    expect(() => parseBenchOptions(kind, raw)).toThrow(message);
  });
});

test("processes share calls and clients without loss, and know which calls of the rate are theirs", () => {
  const options = parseBenchOptions("put", { processes: "3", clients: "8", total: "100", rate: "30" });
  const shares = shareOut(options);
  expect(shares.map(({ clients }) => clients)).toEqual([3, 3, 2]);
  expect(shares.map(({ total }) => total)).toEqual([34, 33, 33]);
  expect(shares.map(({ rate, place, processes }) => [rate, place, processes])).toEqual([
    [30, 0, 3],
    [30, 1, 3],
    [30, 2, 3],
  ]);
});

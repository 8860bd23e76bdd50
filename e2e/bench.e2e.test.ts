import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "./cluster.ts";
import { rdb } from "./run-cli.ts";

/** What is read of the document that `--json` prints. */
interface BenchDocument {
  readonly calls: number;
  readonly rows: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: Readonly<Record<string, number>>;
}

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ initialRegions: "bench/0000000500" });
});
afterAll(() => cluster.dispose());

async function bench(...args: string[]): Promise<BenchDocument> {
  const fixed = ["--keys", "1000", "--warm-up", "0.1", "--json", "--pd", cluster.pdAddress];
  const { exitCode, stdout, stderr } = await rdb(["bench", ...args, ...fixed]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as BenchDocument;
}

describe("SPEC-U1: rdb bench against real processes", () => {
  test("every kind of call is measured, over two Regions, and none fails", async () => {
    const runs = {
      put: await bench("put", "--fill", "--total", "2000", "--clients", "32"),
      get: await bench("get", "--total", "2000", "--clients", "32", "--processes", "2"),
      mixed: await bench("mixed", "--total", "100", "--rate", "200", "--zipf", "0.99"),
      scan: await bench("scan", "--total", "20", "--limit", "500", "--clients", "4"),
      batchPut: await bench("batch-put", "--total", "50", "--batch-size", "40", "--clients", "4"),
      batchGet: await bench("batch-get", "--total", "50", "--batch-size", "40", "--clients", "4"),
    };
    for (const [kind, { errors, opsPerSecond, p50Ms, p99Ms }] of Object.entries(runs)) {
      expect({ kind, errors }).toEqual({ kind, errors: {} });
      expect(opsPerSecond).toBeGreaterThan(0);
      expect(p50Ms > 0 && p50Ms <= p99Ms).toBe(true);
    }
    const rows = Object.entries(runs).map(([kind, { calls, rows: count }]) => [kind, calls, count]);
    expect(rows).toEqual([
      ["put", 2_000, 2_000],
      ["get", 2_000, 2_000],
      ["mixed", 100, 100],
      ["scan", 20, 10_000],
      ["batchPut", 50, 2_000],
      ["batchGet", 50, 2_000],
    ]);
    expect(cluster.unexpectedEnds()).toEqual([]);
  });
});

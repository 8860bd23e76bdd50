import { WireCluster } from "@flaredb/rdb-client/fakes";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCaptured } from "../testing/run-captured.ts";

let cluster: WireCluster;

beforeEach(async () => {
  cluster = await WireCluster.start({ splitKeys: ["bench/0000000050"] });
});
afterEach(() => cluster.stop());

/** Few keys and no warm-up, unless the test has its own. */
function bench(args: readonly string[], options: Parameters<typeof runCaptured>[1] = {}) {
  const fixed = ["--pd", cluster.pdAddress, "--warm-up", "0", "--keys", "100"];
  return runCaptured(["bench", ...args, ...fixed], options);
}

/** Resolves when the first call has come to a Store. */
function firstCall(becomes?: "unanswered"): Promise<void> {
  return new Promise((resolve) => {
    for (const store of cluster.fake.stores) {
      store.intercept = () => {
        resolve();
        return becomes;
      };
    }
  });
}

async function benchJson(args: readonly string[], expectedExitCode = 0): Promise<Record<string, unknown>> {
  const { stdout, stderr, exitCode } = await bench([...args, "--json"]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: expectedExitCode });
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("SPEC-U1: bench", () => {
  test("put writes rows of the sizes that were asked for, and prints one document", async () => {
    const document = await benchJson(["put", "--clients", "8", "--total", "500", "--value-size", "10"]);
    expect(document).toMatchObject({
      op: "put",
      clients: 8,
      processes: 1,
      rate: null,
      keySizeBytes: 16,
      valueSizeBytes: 10,
      keys: 100,
      zipf: null,
      calls: 500,
      rows: 500,
      errors: {},
      unstarted: 0,
      interrupted: false,
    });
    const { opsPerSecond, p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = document;
    expect(opsPerSecond).toBeGreaterThan(0);
    expect(document["generatorCores"]).toBeGreaterThan(0);
    const percentiles = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs] as number[];
    expect(percentiles[0]).toBeGreaterThan(0);
    expect(percentiles).toEqual(percentiles.toSorted((a, b) => a - b));
    const counts = [...cluster.fake.rows.writeCounts];
    expect(counts.every(([key]) => /^bench\/00000000\d\d$/.test(key))).toBe(true);
    expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBe(500);
  });

  test("each kind of read finds what --fill wrote", async () => {
    expect(await benchJson(["get", "--total", "50", "--fill"])).toMatchObject({ calls: 50, rows: 50 });
    expect(cluster.fake.rows.writeCounts.size).toBe(100);
    expect(await benchJson(["scan", "--total", "5", "--limit", "100", "--page-size", "10"])).toMatchObject({
      rows: 500,
      limit: 100,
      pageSize: 10,
    });
    expect(await benchJson(["batch-get", "--total", "5", "--batch-size", "40"])).toMatchObject({
      rows: 200,
      batchSize: 40,
    });
  });

  test("batch-put writes that many rows a call, over both Regions", async () => {
    expect(await benchJson(["batch-put", "--total", "10", "--batch-size", "50"])).toMatchObject({
      calls: 10,
      rows: 500,
    });
  });

  test("mixed reads as often as it is told", async () => {
    const reads = () =>
      cluster.fake.stores.flatMap((store) => store.requests).filter(({ command }) => command.case === "get");
    await benchJson(["mixed", "--total", "200", "--read-share", "0", "--zipf", "0.99"]);
    expect(reads()).toEqual([]);
    await benchJson(["mixed", "--total", "200", "--read-share", "1"]);
    expect(reads()).toHaveLength(200);
  });

  test("as text: what was measured, the rate, the latencies in columns, errors", async () => {
    const { stdout, stderr, exitCode } = await bench(["get", "--total", "200"]);
    expect(stdout).toMatch(/measured: {2}get, 64 clients, \d+\.\d s\n/);
    expect(stdout).toMatch(/calls: {5}200, [\d,.]+\/s\n/);
    expect(stdout).toMatch(/errors: {4}none\n/);
    expect(stdout).toMatch(
      /LATENCY +P50 +P90 +P99 +P99\.9 +MAX\nms +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+\n/,
    );
    expect(stdout).toContain("200 keys not there: --fill writes all first");
    // No terminal: no live line.
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });

  test("on a terminal a line shows the last second", async () => {
    const { stderr } = await bench(["get", "--seconds", "1.2", "--clients", "1"], { progressColumns: 100 });
    expect(stderr).toMatch(/get: [\d,.]+ ops\/s, p50 \d+\.\d\d ms, p99 \d+\.\d\d ms \(1\.\d s\)/);
  });

  test("the first line of several processes is about all of them, too", async () => {
    const flags = ["--seconds", "1.5", "--clients", "2", "--processes", "2"];
    const { stderr } = await bench(["get", ...flags], { progressColumns: 100 });
    const [first] = stderr.match(/get: [^w].*?\(/) ?? [];
    expect(first).toMatch(/get: [1-9][\d,.]* ops\/s, p50 \d+\.\d\d ms/);
  });

  test("a second without an answer is told as that, and not as one of 0 ms; without any, the exit code is 1", async () => {
    for (const store of cluster.fake.stores) {
      store.intercept = () => ({ case: "serverIsBusy", value: { reason: "a test", retryAfterMs: 50 } });
    }
    const flags = ["--total", "1", "--clients", "1", "--timeout", "1500ms"];
    const { stderr, exitCode } = await bench(["get", ...flags], { progressColumns: 100 });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("get: no answer in the last second (");
    expect(stderr).not.toContain("0.00 ms");
  });

  test("an open loop makes as many calls as are due", async () => {
    const document = await benchJson(["put", "--rate", "200", "--total", "100"]);
    expect(document).toMatchObject({ rate: 200, calls: 100, unstarted: 0 });
  });

  test("several processes share the calls, and their histograms are one", async () => {
    const document = await benchJson(["put", "--processes", "2", "--clients", "4", "--total", "301"]);
    expect(document).toMatchObject({ processes: 2, calls: 301, rows: 301 });
    expect(document["p50Ms"]).toBeGreaterThan(0);
  });

  test.each([[[]], [["--processes", "2"]]])(
    "Ctrl-C ends it early with the figures so far %j",
    async (flags) => {
      const interrupt = new AbortController();
      const called = firstCall();
      const run = bench(["put", "--seconds", "600", "--clients", "4", ...flags, "--json"], {
        interrupt: interrupt.signal,
      });
      await called;
      interrupt.abort();
      const { stdout, exitCode } = await run;
      const document = JSON.parse(stdout) as { calls: number };
      expect(document).toMatchObject({ interrupted: true });
      expect(document.calls).toBeGreaterThan(0);
      expect(exitCode).toBe(130);
    },
  );

  test("Ctrl-C while filling ends all of several processes", async () => {
    const interrupt = new AbortController();
    const called = firstCall();
    const flags = ["--fill", "--processes", "2", "--clients", "4", "--seconds", "600", "--json"];
    const run = bench(["get", ...flags], { interrupt: interrupt.signal });
    await called;
    interrupt.abort();
    const { stdout, exitCode } = await run;
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, calls: 0 });
    expect(exitCode).toBe(130);
  });

  test("Ctrl-C that npm passes on, too, is one; another one after a while has its usual effect", async () => {
    const interrupt = new AbortController();
    const stopListening = vi.spyOn(interrupt.signal, "removeEventListener");
    const called = firstCall("unanswered");
    const flags = ["--seconds", "600", "--clients", "1", "--timeout", "2s"];
    let isOver = false;
    const run = bench(["get", ...flags], { interrupt: interrupt.signal }).finally(() => {
      isOver = true;
    });
    await called;
    interrupt.abort();
    expect(stopListening).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(stopListening).toHaveBeenCalled(), { timeout: 5_000 });
    expect(isOver).toBe(false);
    expect((await run).exitCode).toBe(130);
  });

  test("calls that fail are counted by code; where all do, the exit code is 1", async () => {
    for (const store of cluster.fake.stores) {
      store.intercept = () => ({ case: "serverIsBusy", value: { reason: "a test", retryAfterMs: 50 } });
    }
    const document = await benchJson(["put", "--total", "6", "--clients", "3", "--timeout", "200ms"], 1);
    expect(document).toMatchObject({ calls: 0, opsPerSecond: 0, p99Ms: 0 });
    const errors = Object.entries(document["errors"] as Record<string, number>);
    expect(errors.reduce((sum, [, count]) => sum + count, 0)).toBe(6);
  });

  test("flags that make no sense are refused before anything is sent", async () => {
    const { exitCode, stderr } = await bench(["put", "--clients", "0", "--json"]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: "RDB_INVALID_ARGUMENT", details: { field: "clients" } },
    });
    expect((await bench(["put", "--limit", "5"])).exitCode).toBe(2);
    expect((await bench(["erase"])).exitCode).toBe(2);
    expect(cluster.fake.pdCalls).toEqual([]);
  });

  test("a cluster that is not there is an error, also from several processes", async () => {
    await cluster.stopPd();
    for (const processes of ["1", "2"]) {
      const { exitCode, stderr } = await bench(["put", "--processes", processes, "--timeout", "300ms"]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("is the cluster running?");
    }
  });
});

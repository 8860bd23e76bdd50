import { describe, expect, test } from "vitest";
import { Latencies } from "./latencies.ts";
import type { LoadResult } from "./load.ts";
import { type BenchKind, type RawBenchOptions, parseBenchOptions } from "./options.ts";
import { benchDocument, renderBench } from "./report.ts";

function text(
  kind: BenchKind,
  raw: RawBenchOptions,
  result: Partial<LoadResult>,
  isInterrupted = false,
): string {
  const latencies = new Latencies();
  [0.5, 1, 20].forEach((each) => latencies.record(each));
  const whole = {
    calls: 4_000,
    rows: 4_000,
    elapsedMs: 2_000,
    unstarted: 0,
    errors: {},
    latencies,
    cpuMs: 100,
  };
  const document = benchDocument(parseBenchOptions(kind, raw), { ...whole, ...result }, isInterrupted);
  return renderBench(document, undefined);
}

describe("renderBench", () => {
  test("shows rates, errors by how often they came, and latencies in columns", () => {
    const shown = text(
      "batch-put",
      { clients: "8" },
      { rows: 400_000, errors: { RDB_ABORTED: 2, RDB_SERVER_IS_BUSY: 1_000 } },
    );
    expect(shown).toBe(
      [
        "measured:  batch-put, 8 clients, 2.0 s",
        "calls:     4,000, 2,000/s",
        "rows:      400,000, 200,000/s",
        "errors:    1,000 RDB_SERVER_IS_BUSY, 2 RDB_ABORTED",
        "",
        "LATENCY    P50   P90   P99  P99.9   MAX",
        "ms       1.000  20.0  20.0   20.0  20.0",
        "",
      ].join("\n"),
    );
  });

  test("an open loop says its rate, and what it could not start", () => {
    const shown = text("put", { rate: "5000", clients: "4", processes: "2" }, { unstarted: 1_234 });
    expect(shown).toContain("put, 5,000 due a second, at most 4 open, 2 processes, 2.0 s");
    expect(shown).toContain("1,234 calls due found no client free in time");
  });

  test("says when the load's own making may be the limit, and when it ended early", () => {
    expect(text("put", {}, { cpuMs: 1_700 })).not.toContain("making the load");
    expect(text("put", {}, { cpuMs: 1_900 })).toContain("making the load kept a core 95 % busy");
    expect(text("put", { processes: "2" }, { cpuMs: 1_900 })).not.toContain("making the load");
    expect(text("put", {}, {}, true)).toContain("ended early by Ctrl-C");
  });

  test("one is no plural", () => {
    expect(text("get", { clients: "1" }, { rows: 3_999 })).toContain("get, 1 client, 2.0 s");
    expect(text("get", { clients: "1" }, { rows: 3_999 })).toContain("1 key not there");
  });

  test("nothing measured is no division by nothing", () => {
    const none = { calls: 0, rows: 0, elapsedMs: 0, cpuMs: 0, latencies: new Latencies() };
    expect(text("put", {}, none)).toContain("calls:     0, 0.0/s");
  });
});

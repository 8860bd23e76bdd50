import { Latencies } from "./latencies.ts";
import type { LoadResult } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import type { Target } from "./generator.ts";

/** What a process that makes load is told. */
export type ToChild =
  | { readonly type: "prepare"; readonly options: BenchOptions; readonly target: Target }
  | { readonly type: "run" }
  | { readonly type: "stop" };

/** What it says. Histograms are encoded. */
export type FromChild =
  | { readonly type: "prepared" }
  | { readonly type: "interval"; readonly latencies: string; readonly durationMs: number }
  | { readonly type: "result"; readonly result: EncodedResult }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

/** A {@link LoadResult} as it goes between processes. */
export type EncodedResult = Omit<LoadResult, "latencies"> & { readonly latencies: string };

export function encodeResult(result: LoadResult): EncodedResult {
  return { ...result, latencies: result.latencies.encode() };
}

export function decodeResult(result: EncodedResult): LoadResult {
  return { ...result, latencies: Latencies.decode(result.latencies) };
}

/** What several generators did at the same time, as one. */
export function mergeResults(results: readonly LoadResult[]): LoadResult {
  const latencies = new Latencies();
  const errors: Record<string, number> = {};
  for (const result of results) {
    latencies.add(result.latencies);
    for (const [code, count] of Object.entries(result.errors)) {
      errors[code] = (errors[code] ?? 0) + count;
    }
  }
  const sum = (of: (result: LoadResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    calls: sum((result) => result.calls),
    rows: sum((result) => result.rows),
    unstarted: sum((result) => result.unstarted),
    elapsedMs: Math.max(0, ...results.map((result) => result.elapsedMs)),
    cpuMs: sum((result) => result.cpuMs),
    errors,
    latencies,
  };
}

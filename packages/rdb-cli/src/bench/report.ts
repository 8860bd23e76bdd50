import { renderFields, renderTable } from "../output/table.ts";
import type { LoadResult } from "./load.ts";
import type { BenchOptions } from "./options.ts";

/** The one document that `--json` prints: what was asked for, and the figures. */
export interface BenchDocument {
  readonly op: string;
  readonly clients: number;
  readonly processes: number;
  readonly rate: number | null;
  readonly keySizeBytes: number;
  readonly valueSizeBytes: number;
  readonly keys: number;
  readonly zipf: number | null;
  /** Only of mixed. */
  readonly readShare?: number;
  /** Only of scan. */
  readonly limit?: number;
  /** Only of scan. */
  readonly pageSize?: number;
  /** Only of batches. */
  readonly batchSize?: number;
  readonly calls: number;
  readonly rows: number;
  readonly elapsedSeconds: number;
  readonly opsPerSecond: number;
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Calls that failed, by code. Their times are in no percentile. */
  readonly errors: Readonly<Record<string, number>>;
  /** Calls of an open loop that were due and found no client in time. */
  readonly unstarted: number;
  /** Cores that the processes which made the load were busy on, all together. */
  readonly generatorCores: number;
  readonly interrupted: boolean;
}

export function benchDocument(
  options: BenchOptions,
  result: LoadResult,
  isInterrupted: boolean,
): BenchDocument {
  const { kind, clients, processes, rate, keySizeBytes, valueSizeBytes, keys, zipf } = options;
  const perSecond = (count: number): number =>
    result.elapsedMs === 0 ? 0 : Math.round((count * 100_000) / result.elapsedMs) / 100;
  return {
    op: kind,
    clients,
    processes,
    rate: rate ?? null,
    keySizeBytes,
    valueSizeBytes,
    keys,
    zipf: zipf ?? null,
    ...ownParameters(options),
    calls: result.calls,
    rows: result.rows,
    elapsedSeconds: Math.round(result.elapsedMs) / 1_000,
    opsPerSecond: perSecond(result.calls),
    rowsPerSecond: perSecond(result.rows),
    ...result.latencies.percentiles(),
    errors: result.errors,
    unstarted: result.unstarted,
    generatorCores:
      result.elapsedMs === 0 ? 0 : Math.round((result.cpuMs * 1_000) / result.elapsedMs) / 1_000,
    interrupted: isInterrupted,
  };
}

function ownParameters({
  kind,
  readShare,
  limit,
  pageSize,
  batchSize,
}: BenchOptions): Partial<BenchDocument> {
  switch (kind) {
    case "mixed":
      return { readShare };
    case "scan":
      return { limit, pageSize };
    case "batch-put":
    case "batch-get":
      return { batchSize };
    default:
      return {};
  }
}

/** The document as people read it. */
export function renderBench(document: BenchDocument, width: number | undefined): string {
  const { op, clients, processes, rate, elapsedSeconds } = document;
  const how =
    rate === null ? countOf(clients, "client") : `${formatRate(rate)} due a second, at most ${clients} open`;
  const where = processes === 1 ? "" : `, ${processes} processes`;
  const summary = renderFields([
    ["measured", `${op}, ${how}${where}, ${elapsedSeconds.toFixed(1)} s`],
    ["calls", `${formatCount(document.calls)}, ${formatRate(document.opsPerSecond)}/s`],
    ...rowsLine(document),
    ["errors", describeErrors(document)],
  ]);
  const columns = ["P50", "P90", "P99", "P99.9", "MAX"].map((title) => ({ title, align: "right" as const }));
  const { p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = document;
  const latencies = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map((each) => each.toFixed(each < 10 ? 3 : 1));
  const table = renderTable([{ title: "LATENCY" }, ...columns], [["ms", ...latencies]], { width });
  return `${summary}\n${table}${remarks(document)}`;
}

function rowsLine({ calls, rows, rowsPerSecond }: BenchDocument): [string, string][] {
  return rows === calls ? [] : [["rows", `${formatCount(rows)}, ${formatRate(rowsPerSecond)}/s`]];
}

function describeErrors({ errors }: BenchDocument): string {
  const entries = Object.entries(errors).toSorted(([, a], [, b]) => b - a);
  return entries.length === 0
    ? "none"
    : entries.map(([code, count]) => `${formatCount(count)} ${code}`).join(", ");
}

/** A generator that is this busy may be what limits the figures: it runs on one core, with some help of others. */
const BUSY_GENERATOR_CORES = 0.9;

// What the figures do not show by themselves.
function remarks(document: BenchDocument): string {
  const { calls, rows, unstarted, interrupted, op, generatorCores, processes } = document;
  const lines: string[] = [];
  if (generatorCores / processes > BUSY_GENERATOR_CORES) {
    const share = `${Math.round((generatorCores * 100) / processes)} %`;
    lines.push(`making the load kept a core ${share} busy: more --processes may show more`);
  }
  if ((op === "get" || op === "mixed") && rows < calls) {
    lines.push(`${countOf(calls - rows, "key")} not there: --fill writes all first`);
  }
  if (unstarted > 0) {
    lines.push(
      `${countOf(unstarted, "call")} due found no client free in time: the rate is more than was served`,
    );
  }
  if (interrupted) {
    lines.push("ended early by Ctrl-C: these are the figures so far");
  }
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

function countOf(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** A rate as people read it. */
export function formatRate(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond));
}

function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

import { type WriteWindow, percentile } from "./row-writer.ts";

/** One measured figure. */
export interface Figure {
  readonly what: string;
  readonly value: string;
}

/** The figures as a table for a document. */
export function renderFigures(title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ what, value }) => `| ${what} | ${value} |`);
  return `| ${title} | |\n|---|---|\n${rows.join("\n")}\n`;
}

/** How the writes of a window went: rate, median and p99, the longest gap. */
export function describeWindow(window: WriteWindow): string {
  const rate = Math.round((window.count * 1000) / window.durationMs);
  const [median, worst] = [0.5, 0.99].map((fraction) => percentile(window.latenciesMs, fraction).toFixed(1));
  return `${rate} puts/s, p50 ${median} ms, p99 ${worst} ms, longest gap ${window.longestGapMs.toFixed(0)} ms`;
}

/** Put latency at the 99th percentile, in milliseconds. */
export function p99(window: WriteWindow): number {
  return percentile(window.latenciesMs, 0.99);
}

/** `1,234 of 1,234 (100 %)`. */
export function successRate(begunCount: number, failureCount: number): string {
  const good = begunCount - failureCount;
  return `${good.toLocaleString("en")} of ${begunCount.toLocaleString("en")} (${((100 * good) / Math.max(1, begunCount)).toFixed(good === begunCount ? 0 : 3)} %)`;
}

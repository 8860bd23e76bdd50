import type { Call } from "./history.ts";

const BAR_COLUMNS = 32;
const MS_NS = 1e6;

/** One line for each call: who, when, a bar on a common axis, what. An unknown call's bar has no end. */
export function timeline(lines: readonly { readonly call: Call; readonly text: string }[]): string[] {
  const startNs = Math.min(...lines.map(({ call }) => call.startNs));
  const endNs = Math.max(...lines.map(({ call }) => call.endNs));
  const column = (ns: number): number =>
    endNs === startNs ? 0 : Math.round(((ns - startNs) / (endNs - startNs)) * (BAR_COLUMNS - 1));
  const clientWidth = Math.max(...lines.map(({ call }) => call.client.length));
  return lines.map(({ call, text }) => {
    const from = column(call.startNs);
    const to = call.outcome === "unknown" ? BAR_COLUMNS - 1 : column(call.endNs);
    const end = call.outcome === "unknown" ? ">" : "]";
    const bar = `${" ".repeat(from)}[${"=".repeat(Math.max(0, to - from - 1))}${end}`.padEnd(BAR_COLUMNS + 1);
    return `  ${call.client.padEnd(clientWidth)} ${milliseconds(call)} ${bar} ${text}`;
  });
}

function milliseconds({ startNs, endNs }: Call): string {
  return `${(startNs / MS_NS).toFixed(3).padStart(10)}..${(endNs / MS_NS).toFixed(3).padEnd(10)}`;
}

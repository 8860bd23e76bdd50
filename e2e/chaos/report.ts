import { basename } from "node:path";
import type { Sample } from "./timeline.ts";
import type { EndedFault, Judgement } from "./verdict.ts";

/** Everything about one run that a document shows. */
export interface RunRecord {
  /** One line: seed, length, size. */
  readonly title: string;
  readonly samples: readonly Sample[];
  readonly faults: readonly EndedFault[];
  readonly judgements: readonly Judgement[];
}

const BEGIN = "<!-- run: begin -->";
const END = "<!-- run: end -->";

/**
 * A document with the record of a run in it: between the two marks, or at its end where it has none.
 *
 * @param picture the plot's file, beside the document
 */
export function withRun(document: string, record: RunRecord, picture: string): string {
  const section = `${BEGIN}\n${renderRun(record, basename(picture))}${END}\n`;
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  return from < 0 || to < from
    ? `${document}\n${section}`
    : `${document.slice(0, from)}${section}${document.slice(to + END.length + 1)}`;
}

function renderRun({ title, faults, judgements }: RunRecord, picture: string): string {
  const promises = judgements.map(
    ({ what, found, isKept }) => `| ${what} | ${found} | ${isKept ? "kept" : "**broken**"} |`,
  );
  return [
    `${title}\n`,
    `![Writes a second, and what was broken when](${picture})\n`,
    "| Promise | Found | |\n|---|---|---|",
    ...promises,
    "\n| Fault | Times | Lasted, together | All serve again after, at worst | Every lane writes after, at worst |",
    "|---|---|---|---|---|",
    ...[...new Set(faults.map(({ name }) => name))].toSorted().map((name) => faultRow(name, faults)),
    "",
  ].join("\n");
}

function faultRow(name: string, faults: readonly EndedFault[]): string {
  const those = faults.filter((fault) => fault.name === name);
  const lasted = those.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const back = Math.max(...those.map(({ backMs }) => backMs));
  const recovery = Math.max(...those.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY));
  return `| ${name} | ${those.length} | ${seconds(lasted)} | ${seconds(back)} | ${seconds(recovery)} |`;
}

const WIDTH = 1200;
const HEIGHT = 320;
const MARGIN = { left: 60, right: 10, top: 12, bottom: 118 };

/** Writes a second over time as an SVG, with a band for each fault. */
export function plot({ samples, faults }: RunRecord): string {
  const endMs = Math.max(1, ...samples.map(({ atMs }) => atMs));
  const peak = Math.max(1, ...samples.map(({ writesPerSecond }) => writesPerSecond));
  const bottom = HEIGHT - MARGIN.bottom;
  const x = (ms: number): number => MARGIN.left + (ms / endMs) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (rate: number): number => bottom - (rate / peak) * (bottom - MARGIN.top);
  const line = samples
    .map((sample) => `${fixed(x(sample.atMs))},${fixed(y(sample.writesPerSecond))}`)
    .join(" ");
  const band = ({ name, fromMs, toMs }: EndedFault): string => {
    const [left, right] = [x(fromMs), x(toMs)];
    const middle = fixed((left + right) / 2 + 3);
    return (
      `<rect x="${fixed(left)}" y="${MARGIN.top}" width="${fixed(Math.max(1, right - left))}" height="${bottom - MARGIN.top}" fill="#e4572e" fill-opacity="0.18"/>` +
      `<text x="${middle}" y="${bottom + 34}" font-size="9" text-anchor="end" transform="rotate(-60 ${middle} ${bottom + 34})">${name}</text>`
    );
  };
  const minutes = Array.from({ length: Math.floor(endMs / 60_000) + 1 }, (_, minute) => {
    const at = fixed(x(minute * 60_000));
    return `<text x="${at}" y="${bottom + 16}" font-size="11" text-anchor="middle">${minute} min</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...faults.map(band),
    `<polyline points="${line}" fill="none" stroke="#2e6ee4" stroke-width="1.5"/>`,
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${WIDTH - MARGIN.right}" fill="none" stroke="#333"/>`,
    `<text x="${MARGIN.left - 6}" y="${MARGIN.top + 10}" font-size="11" text-anchor="end">${peak}/s</text>`,
    `<text x="${MARGIN.left - 6}" y="${bottom}" font-size="11" text-anchor="end">0</text>`,
    ...minutes,
    "</svg>\n",
  ].join("\n");
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : "never";
}

import type { RunRecord } from "./report.ts";
import type { EndedFault } from "./verdict.ts";

const WIDTH = 1200;
const MARGIN = { left: 130, right: 60, top: 14, bottom: 24 };
const PANEL_HEIGHT = 170;
const PANEL_GAP = 22;
/** Of each kind of fault. */
const ROW_HEIGHT = 12;
const MIB = 2 ** 20;
/** Of the name of one line of a panel. */
const LEGEND_WIDTH = 130;
/** Marks on the time axis, at most. */
const MINUTES_MAX_COUNT = 12;

/** One line of a panel: what it is, in what colour, and its points. */
interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

/**
 * A run over time as an SVG of three panels: rows written a second; which faults were on, a row for each kind; resident
 * memory and data on disk.
 */
export function plot(record: RunRecord): string {
  const { samples, faults, resources } = record;
  const endMs = Math.max(1, ...[...samples, ...resources].map(({ atMs }) => atMs));
  const x = (ms: number): number => MARGIN.left + (ms / endMs) * (WIDTH - MARGIN.left - MARGIN.right);
  const kinds = kindsOf(faults);
  const rowsTop = MARGIN.top + PANEL_HEIGHT + PANEL_GAP;
  const memoryTop = rowsTop + kinds.length * ROW_HEIGHT + PANEL_GAP;
  const bottom = memoryTop + PANEL_HEIGHT;
  const height = bottom + MARGIN.bottom;
  const writes = samples.map(({ atMs, writesPerSecond }) => ({ atMs, value: writesPerSecond }));
  const mib = (of: (sample: RunRecord["resources"][number]) => number): Line["points"] =>
    resources.map((sample) => ({ atMs: sample.atMs, value: of(sample) / MIB }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" fill="#333">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panel({
      top: MARGIN.top,
      x,
      unit: "/s",
      lines: [{ name: "writes", colour: "#2e6ee4", points: writes }],
    }),
    ...faults.flatMap((fault) => bars(fault, { kinds, x, top: rowsTop })),
    ...kinds.map((kind, at) => label(MARGIN.left - 6, rowsTop + (at + 1) * ROW_HEIGHT - 3, kind, "end")),
    ...panel({
      top: memoryTop,
      x,
      unit: " MiB",
      lines: [
        { name: "memory of a Store", colour: "#2e6ee4", points: mib(({ storeBytes }) => storeBytes) },
        { name: "of a PD", colour: "#2a9d5c", points: mib(({ pdBytes }) => pdBytes) },
        { name: "of the run itself", colour: "#999", points: mib(({ ownBytes }) => ownBytes) },
        { name: "data of a Store", colour: "#e4572e", points: mib(({ diskBytes }) => diskBytes) },
      ],
    }),
    ...minuteMarks(endMs).map((minute) => label(x(minute * 60_000), bottom + 16, `${minute} min`, "middle")),
    "</svg>\n",
  ].join("\n");
}

/** What was on, each mild one that was beside others under its own name. */
function kindsOf(faults: readonly EndedFault[]): string[] {
  return [...new Set(faults.flatMap(namesOf))].toSorted();
}

function namesOf({ name, beside }: EndedFault): string[] {
  return beside === undefined ? [name] : [name, beside];
}

function bars(
  fault: EndedFault,
  place: { readonly kinds: readonly string[]; readonly x: (ms: number) => number; readonly top: number },
): string[] {
  const { kinds, x, top } = place;
  const left = x(fault.fromMs);
  const width = Math.max(1, x(fault.toMs) - left);
  return namesOf(fault).map((name) => {
    const y = top + kinds.indexOf(name) * ROW_HEIGHT + 2;
    return `<rect class="fault" x="${fixed(left)}" y="${y}" width="${fixed(width)}" height="${ROW_HEIGHT - 4}" fill="#e4572e"/>`;
  });
}

function panel(options: {
  readonly top: number;
  readonly x: (ms: number) => number;
  readonly unit: string;
  readonly lines: readonly Line[];
}): string[] {
  const { top, x, unit, lines } = options;
  const bottom = top + PANEL_HEIGHT;
  const peak = Math.max(1, ...lines.flatMap(({ points }) => points.map(({ value }) => value)));
  const y = (value: number): number => bottom - (value / peak) * (PANEL_HEIGHT - 4);
  const right = WIDTH - MARGIN.right;
  return [
    `<path d="M${MARGIN.left} ${top}V${bottom}H${right}" fill="none" stroke="#333"/>`,
    label(MARGIN.left - 6, top + 10, `${Math.round(peak)}${unit}`, "end"),
    label(MARGIN.left - 6, bottom, "0", "end"),
    ...lines.map(({ colour, points }) => {
      const path = points.map(({ atMs, value }) => `${fixed(x(atMs))},${fixed(y(value))}`).join(" ");
      return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.2"/>`;
    }),
    ...lines.map(({ name, colour }, at) =>
      label(MARGIN.left + at * LEGEND_WIDTH, top - 4, name, "start", colour),
    ),
  ];
}

function minuteMarks(endMs: number): number[] {
  const minutes = Math.floor(endMs / 60_000);
  const step = Math.max(1, Math.ceil(minutes / MINUTES_MAX_COUNT));
  return Array.from({ length: Math.floor(minutes / step) + 1 }, (_, at) => at * step);
}

function label(
  x: number,
  y: number,
  text: string,
  anchor: "start" | "end" | "middle",
  colour = "#333",
): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" font-size="10" text-anchor="${anchor}" fill="${colour}">${text}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

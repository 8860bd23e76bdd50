import {
  type Line,
  PANEL_GAP,
  PANEL_HEIGHT,
  PANEL_MARGIN,
  fixed,
  label,
  panel,
  picture,
  timeAxis,
  timeScale,
} from "../time-panels.ts";
import type { RunRecord } from "./report.ts";
import type { EndedFault } from "./verdict.ts";

/** Of each kind of fault. */
const ROW_HEIGHT = 12;
const MIB = 2 ** 20;

/**
 * A run over time as an SVG of three panels: rows written a second; which faults were on, a row for each kind; resident
 * memory and data on disk.
 */
export function plot(record: RunRecord): string {
  const { samples, faults, resources } = record;
  const endMs = Math.max(1, ...[...samples, ...resources].map(({ atMs }) => atMs));
  const x = timeScale(endMs);
  const kinds = kindsOf(faults);
  const rowsTop = PANEL_MARGIN.top + PANEL_HEIGHT + PANEL_GAP;
  const memoryTop = rowsTop + kinds.length * ROW_HEIGHT + PANEL_GAP;
  const bottom = memoryTop + PANEL_HEIGHT;
  const writes = samples.map(({ atMs, writesPerSecond }) => ({ atMs, value: writesPerSecond }));
  const mib = (of: (sample: RunRecord["resources"][number]) => number): Line["points"] =>
    resources.map((sample) => ({ atMs: sample.atMs, value: of(sample) / MIB }));
  return picture(bottom + PANEL_MARGIN.bottom, [
    ...panel({
      top: PANEL_MARGIN.top,
      x,
      unit: "/s",
      lines: [{ name: "writes", colour: "#2e6ee4", points: writes }],
    }),
    ...faults.flatMap((fault) => bars(fault, { kinds, x, top: rowsTop })),
    ...kinds.map((kind, at) =>
      label(PANEL_MARGIN.left - 6, rowsTop + (at + 1) * ROW_HEIGHT - 3, kind, "end"),
    ),
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
    ...timeAxis(endMs, bottom),
  ]);
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

/** Drawing of what was measured over time: panels of lines above one time axis. */

export const PANEL_WIDTH = 1200;
export const PANEL_HEIGHT = 170;
export const PANEL_MARGIN = { left: 130, right: 60, top: 14, bottom: 24 };
/** Between two panels. */
export const PANEL_GAP = 22;
/** Of the name of one line of a panel. */
const LEGEND_WIDTH = 130;
/** Marks on the time axis, at most. */
const MINUTES_MAX_COUNT = 12;

/** One line of a panel: what it is, in what colour, and its points. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

/** Where on the axis a moment is, for a time axis of `endMs`. */
export function timeScale(endMs: number): (ms: number) => number {
  const width = PANEL_WIDTH - PANEL_MARGIN.left - PANEL_MARGIN.right;
  return (ms) => PANEL_MARGIN.left + (ms / endMs) * width;
}

/** A panel from 0 to the largest value of its lines. */
export function panel(options: {
  readonly top: number;
  readonly x: (ms: number) => number;
  readonly unit: string;
  readonly lines: readonly Line[];
}): string[] {
  const { top, x, unit, lines } = options;
  const bottom = top + PANEL_HEIGHT;
  const peak = Math.max(1, ...lines.flatMap(({ points }) => points.map(({ value }) => value)));
  const y = (value: number): number => bottom - (value / peak) * (PANEL_HEIGHT - 4);
  const right = PANEL_WIDTH - PANEL_MARGIN.right;
  return [
    `<path d="M${PANEL_MARGIN.left} ${top}V${bottom}H${right}" fill="none" stroke="#333"/>`,
    label(PANEL_MARGIN.left - 6, top + 10, `${Math.round(peak)}${unit}`, "end"),
    label(PANEL_MARGIN.left - 6, bottom, "0", "end"),
    ...lines.map(({ colour, points }) => {
      const path = points.map(({ atMs, value }) => `${fixed(x(atMs))},${fixed(y(value))}`).join(" ");
      return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.2"/>`;
    }),
    ...lines.map(({ name, colour }, at) =>
      label(PANEL_MARGIN.left + at * LEGEND_WIDTH, top - 4, name, "start", colour),
    ),
  ];
}

/** The names of minutes below the last panel. */
export function timeAxis(endMs: number, bottom: number): string[] {
  const x = timeScale(endMs);
  const minutes = Math.floor(endMs / 60_000);
  const step = Math.max(1, Math.ceil(minutes / MINUTES_MAX_COUNT));
  return Array.from({ length: Math.floor(minutes / step) + 1 }, (_, at) => at * step).map((minute) =>
    label(x(minute * 60_000), bottom + 16, `${minute} min`, "middle"),
  );
}

/** Everything as one picture. */
export function picture(height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${PANEL_WIDTH} ${height}" font-family="sans-serif" fill="#333">`,
    `<rect width="${PANEL_WIDTH}" height="${height}" fill="#fff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

export function label(
  x: number,
  y: number,
  text: string,
  anchor: "start" | "end" | "middle",
  colour = "#333",
): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" font-size="10" text-anchor="${anchor}" fill="${colour}">${text}</text>`;
}

/** A coordinate. */
export function fixed(value: number): string {
  return value.toFixed(1);
}

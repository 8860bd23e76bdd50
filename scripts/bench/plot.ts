import type { Medians } from "./medians.ts";

/** One line of a panel: points in the order of their load. */
interface Curve {
  readonly name: string;
  readonly color: string;
  readonly isDashed: boolean;
  readonly points: readonly Point[];
}

interface Point {
  readonly opsPerSecond: number;
  readonly latencyMs: number;
  readonly clients: number;
}

const WIDTH = 880;
const PANEL_WIDTH = 360;
const PANEL_HEIGHT = 280;
const TOP = 64;
const LEFTS = [64, 496] as const;
const HEIGHT = TOP + PANEL_HEIGHT + 64;

// Seen on white and on black alike; the two differ in lightness too, for those who see no hues.
const SIDES = [
  { layout: "etcd", name: "etcd", color: "#d97706" },
  { layout: "1 Region", name: "FlareDB, 1 Region", color: "#2563eb" },
  { layout: "16 Regions", name: "FlareDB, 16 Regions", color: "#0d9488" },
] as const;

/** Latency against load: a panel for put and one for get, p50 solid and p99 dashed, latency on a logarithmic scale. */
export function renderPlot(medians: readonly Medians[]): string {
  const panels = ["put", "get"].map((op, at) => panel(op, curvesOf(op, medians), LEFTS[at] as number));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="Latency against load of put and get, etcd and FlareDB">
<style>
text { fill: #1f2937; } .grid { stroke: #9ca3af; stroke-opacity: 0.35; } .frame { stroke: #6b7280; fill: none; }
.back { fill: #ffffff; }
@media (prefers-color-scheme: dark) { text { fill: #e5e7eb; } .back { fill: #111827; } }
</style>
<rect class="back" width="${WIDTH}" height="${HEIGHT}"/>
${legend()}
${panels.join("\n")}
</svg>
`;
}

function curvesOf(op: string, medians: readonly Medians[]): Curve[] {
  return SIDES.flatMap(({ layout, name, color }) => {
    const own = medians
      .filter((each) => each.op === op && each.layout === layout)
      .toSorted((a, b) => a.clients - b.clients);
    const curve = (percentile: "p50Ms" | "p99Ms", isDashed: boolean): Curve => ({
      name: `${name} ${percentile.slice(0, -2)}`,
      color,
      isDashed,
      points: own.map((each) => ({
        opsPerSecond: each.opsPerSecond,
        latencyMs: each[percentile],
        clients: each.clients,
      })),
    });
    return own.length === 0 ? [] : [curve("p50Ms", false), curve("p99Ms", true)];
  });
}

function legend(): string {
  const sides = SIDES.map(({ name, color }, at) => {
    const x = LEFTS[0] + at * 170;
    return `<line x1="${x}" x2="${x + 24}" y1="20" y2="20" stroke="${color}" stroke-width="2.5"/><text x="${x + 30}" y="24">${name}</text>`;
  });
  const x = LEFTS[0] + SIDES.length * 170;
  const dashes = [
    `<line class="frame" x1="${x}" x2="${x + 24}" y1="20" y2="20" stroke-width="2"/><text x="${x + 30}" y="24">p50</text>`,
    `<line class="frame" x1="${x + 80}" x2="${x + 104}" y1="20" y2="20" stroke-width="2" stroke-dasharray="5 4"/><text x="${x + 110}" y="24">p99</text>`,
  ];
  return [...sides, ...dashes].join("\n");
}

function panel(op: string, curves: readonly Curve[], left: number): string {
  const points = curves.flatMap((curve) => curve.points);
  const topRate = niceAbove(Math.max(1, ...points.map((point) => point.opsPerSecond)));
  const decades = decadesOf(points.map((point) => point.latencyMs));
  const x = (rate: number): number => left + (rate / topRate) * PANEL_WIDTH;
  const span = decades.highest - decades.lowest;
  const y = (latencyMs: number): number =>
    TOP + PANEL_HEIGHT * (1 - (Math.log10(latencyMs) - decades.lowest) / span);
  const body = [
    ...rateTicks(topRate, x),
    ...latencyTicks(decades, y, left),
    `<rect class="frame" x="${left}" y="${TOP}" width="${PANEL_WIDTH}" height="${PANEL_HEIGHT}"/>`,
    `<text x="${left}" y="${TOP - 12}" font-weight="bold">${op}</text>`,
    `<text x="${left + PANEL_WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">calls per second</text>`,
    `<text transform="translate(${left - 46} ${TOP + PANEL_HEIGHT / 2}) rotate(-90)" text-anchor="middle">latency (ms)</text>`,
    ...curves.map((curve) => drawCurve(curve, x, y)),
  ];
  return `<g>\n${body.join("\n")}\n</g>`;
}

function rateTicks(topRate: number, x: (rate: number) => number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = x(share * topRate).toFixed(1);
    const bottom = TOP + PANEL_HEIGHT;
    return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom}"/><text x="${at}" y="${bottom + 18}" text-anchor="middle">${short(share * topRate)}</text>`;
  });
}

function latencyTicks(
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
  y: (latencyMs: number) => number,
  left: number,
): string[] {
  return Array.from({ length: highest - lowest + 1 }, (_, at) => {
    const latencyMs = 10 ** (lowest + at);
    const line = y(latencyMs).toFixed(1);
    return `<line class="grid" x1="${left}" x2="${left + PANEL_WIDTH}" y1="${line}" y2="${line}"/><text x="${left - 8}" y="${Number(line) + 4}" text-anchor="end">${Number(latencyMs.toPrecision(1))}</text>`;
  });
}

function drawCurve(curve: Curve, x: (rate: number) => number, y: (latencyMs: number) => number): string {
  const places = curve.points.map(
    (point) => [x(point.opsPerSecond).toFixed(1), y(point.latencyMs).toFixed(1), point] as const,
  );
  const line = places.map(([atX, atY]) => `${atX},${atY}`).join(" ");
  const dash = curve.isDashed ? ' stroke-dasharray="5 4"' : "";
  const dots = places.map(
    ([atX, atY, point]) =>
      `<circle cx="${atX}" cy="${atY}" r="3" fill="${curve.color}"><title>${curve.name}, ${point.clients} clients: ${Math.round(point.opsPerSecond)}/s, ${point.latencyMs.toFixed(2)} ms</title></circle>`,
  );
  return `<polyline points="${line}" fill="none" stroke="${curve.color}" stroke-width="2"${dash}/>\n${dots.join("")}`;
}

// Whole powers of ten around all values; at least one apart.
function decadesOf(values: readonly number[]): { readonly lowest: number; readonly highest: number } {
  const positive = values.filter((value) => value > 0);
  const lowest = Math.floor(Math.log10(Math.min(1, ...positive)));
  const highest = Math.ceil(Math.log10(Math.max(1, ...positive)));
  return { lowest, highest: Math.max(lowest + 1, highest) };
}

/** The least of 1, 2, 4, 6, 8 times a power of ten that is not below. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) as number) * power;
}

function short(rate: number): string {
  return rate >= 1_000 ? `${Number((rate / 1_000).toPrecision(3))}k` : String(Math.round(rate));
}

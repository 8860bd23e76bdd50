import type { HeatMap } from "../api/gen/types.ts";

/** Where the map lies on its canvas, in CSS pixels. */
export interface HeatBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One cell: a column and a bucket. */
export interface Cell {
  readonly column: number;
  readonly bucket: number;
}

/** A label on an axis. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

export function bucketCount({ edges }: Pick<HeatMap, "edges">): number {
  return Math.max(0, edges.length - 1);
}

/** The greatest value of all. */
export function hottest({ values }: Pick<HeatMap, "values">): number {
  let maximum = 0;
  for (const column of values) {
    for (const value of column) {
      maximum = Math.max(maximum, value);
    }
  }
  return maximum;
}

/** The cell under a point; undefined outside of the map. */
export function cellAt(
  map: Pick<HeatMap, "columns" | "edges">,
  box: HeatBox,
  x: number,
  y: number,
): Cell | undefined {
  const column = Math.floor(((x - box.left) / box.width) * map.columns.length);
  const bucket = Math.floor(((y - box.top) / box.height) * bucketCount(map));
  const isInside = column >= 0 && column < map.columns.length && bucket >= 0 && bucket < bucketCount(map);
  return isInside ? { column, bucket } : undefined;
}

/** The cell next to one, not beyond the map's ends. */
export function movedCell(map: Pick<HeatMap, "columns" | "edges">, cell: Cell, dx: number, dy: number): Cell {
  const within = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
  return {
    column: within(cell.column + dx, map.columns.length),
    bucket: within(cell.bucket + dy, bucketCount(map)),
  };
}

/** Both corners in order, so that a selection may be drawn from any side. */
export function spanOf(a: Cell, b: Cell): { readonly from: Cell; readonly to: Cell } {
  return {
    from: { column: Math.min(a.column, b.column), bucket: Math.min(a.bucket, b.bucket) },
    to: { column: Math.max(a.column, b.column), bucket: Math.max(a.bucket, b.bucket) },
  };
}

/** The part of the map that cells span, as its query names it. */
export interface HeatPart {
  readonly from: number;
  readonly to: number;
  readonly startKeyHex: string;
  readonly endKeyHex: string;
}

/** @returns undefined for cells that are not of this map */
export function partOf(map: HeatMap, a: Cell, b: Cell): HeatPart | undefined {
  const { from, to } = spanOf(a, b);
  const first = map.columns[from.column];
  const last = map.columns[to.column];
  const start = map.edges[from.bucket];
  const end = map.edges[to.bucket + 1];
  return first === undefined || last === undefined || start === undefined || end === undefined
    ? undefined
    : { from: first.startMs, to: last.endMs, startKeyHex: start.keyHex, endKeyHex: end.keyHex };
}

/** About one label for each `gap` pixels of keys, at the edges of buckets. */
export function keyTicks({ edges }: Pick<HeatMap, "edges">, box: HeatBox, gap: number): Tick[] {
  const count = edges.length - 1;
  const step = Math.max(1, Math.ceil((gap * count) / box.height));
  const ticks: Tick[] = [];
  for (let at = 0; at < count; at += step) {
    const text = edges[at]?.key ?? "";
    ticks.push({ at: box.top + (at / count) * box.height, text: text === "" ? "−∞" : text });
  }
  return ticks;
}

/** As many labels as fit, at the beginnings of columns. */
export function timeTicks(
  { columns }: Pick<HeatMap, "columns">,
  box: HeatBox,
  gap: number,
  format: (ms: number) => string,
): Tick[] {
  const step = Math.max(1, Math.ceil((gap * columns.length) / box.width));
  return columns.flatMap(({ startMs }, at) =>
    at % step === 0 ? [{ at: box.left + (at / columns.length) * box.width, text: format(startMs) }] : [],
  );
}

import { compareKeys } from "@flaredb/rdb-base";

/** What is drawn: each as a rate a second. */
export const heatKinds = ["writtenBytes", "writtenKeys", "readBytes", "readKeys"] as const;

export type HeatKind = (typeof heatKinds)[number];

type HeatValues = Readonly<Record<HeatKind, number>>;

/** What one Region is asked for. */
export interface RegionFlow extends HeatValues {
  readonly startKey: Uint8Array;
}

/**
 * The whole key space over a span of time, in buckets. Bucket `i` holds the keys from `edges[i]` up to `edges[i + 1]`, the
 * last one all further ones.
 *
 * Invariant: `edges` rises strictly and begins with the empty key; there is a value of each kind for each edge.
 */
export interface HeatColumn {
  readonly startMs: number;
  readonly endMs: number;
  readonly edges: readonly Uint8Array[];
  readonly values: Readonly<Record<HeatKind, Float32Array>>;
}

const FIRST_KEY = new Uint8Array();

/**
 * A column of what Regions are asked for now. More than `bucketMaxCount` of them share buckets: neighbours that are asked
 * for little first, so that what is hot stays apart.
 *
 * @param flows by rising `startKey`; keys before the first one's are asked for by nobody
 */
export function columnOf(
  flows: readonly RegionFlow[],
  span: { readonly startMs: number; readonly endMs: number },
  bucketMaxCount: number,
): HeatColumn {
  const lacksFirst = flows[0] === undefined || flows[0].startKey.length > 0;
  const all = lacksFirst ? [{ startKey: FIRST_KEY, ...NO_HEAT }, ...flows] : flows;
  const whole: HeatColumn = {
    ...span,
    edges: all.map(({ startKey }) => startKey),
    values: byKind((kind) => Float32Array.from(all, (flow) => flow[kind])),
  };
  return compacted(whole, bucketMaxCount);
}

/** The column in at most so many buckets. Sums stay as they are. */
export function compacted(column: HeatColumn, bucketMaxCount: number): HeatColumn {
  if (column.edges.length <= bucketMaxCount) {
    return column;
  }
  const starts = coldestMerged(heatOf(column), bucketMaxCount);
  return projected(
    column,
    starts.map((at) => column.edges[at] ?? FIRST_KEY),
  );
}

/** The columns, which follow each other, as one over the time of all: what each lasted weighs. */
export function mergedInTime(
  columns: readonly [HeatColumn, ...HeatColumn[]],
  bucketMaxCount: number,
): HeatColumn {
  const [first] = columns;
  const startMs = first.startMs;
  const endMs = columns.at(-1)?.endMs ?? first.endMs;
  if (columns.length === 1) {
    return compacted(first, bucketMaxCount);
  }
  const edges = commonEdges(columns);
  const totalMs = columns.reduce((sum, each) => sum + (each.endMs - each.startMs), 0);
  const values = byKind(() => new Float32Array(edges.length));
  for (const column of columns) {
    const part = totalMs === 0 ? 1 / columns.length : (column.endMs - column.startMs) / totalMs;
    const there = projected(column, edges).values;
    for (const kind of heatKinds) {
      there[kind].forEach((value, at) => {
        values[kind][at] = (values[kind][at] ?? 0) + value * part;
      });
    }
  }
  return compacted({ startMs, endMs, edges, values }, bucketMaxCount);
}

/**
 * The column in other buckets. One that holds several of its buckets gets their sum; of one that lies in several, each
 * gets the same part, because nobody knows where within it its heat was.
 */
export function projected(column: HeatColumn, edges: readonly Uint8Array[]): HeatColumn {
  if (column.edges === edges) {
    return column;
  }
  const values = byKind(() => new Float32Array(edges.length));
  for (let at = 0, to = 0; at < column.edges.length; at++) {
    const end = column.edges[at + 1];
    // The last target bucket that begins at or before this one's beginning, and how many more begin before its end.
    while (
      to + 1 < edges.length &&
      compareKeys(edges[to + 1] as Uint8Array, column.edges[at] as Uint8Array) <= 0
    ) {
      to += 1;
    }
    let last = to;
    while (
      last + 1 < edges.length &&
      (end === undefined || compareKeys(edges[last + 1] as Uint8Array, end) < 0)
    ) {
      last += 1;
    }
    for (const kind of heatKinds) {
      const share = (column.values[kind][at] ?? 0) / (last - to + 1);
      for (let target = to; target <= last; target++) {
        values[kind][target] = (values[kind][target] ?? 0) + share;
      }
    }
  }
  return { startMs: column.startMs, endMs: column.endMs, edges, values };
}

/** Every edge of any of the columns, in order. */
export function commonEdges(columns: readonly HeatColumn[]): readonly Uint8Array[] {
  const [first] = columns;
  if (first === undefined || columns.every(({ edges }) => edges === first.edges)) {
    return first?.edges ?? [FIRST_KEY];
  }
  const all = [...new Set(columns.map(({ edges }) => edges))].flat().sort(compareKeys);
  return all.filter((key, at) => at === 0 || compareKeys(all[at - 1] as Uint8Array, key) !== 0);
}

/**
 * Where the buckets begin when neighbours are merged until at most `maxCount` are left: runs of cold ones, up to the least
 * sum of heat with which that is so.
 *
 * @returns places in `heats`, the first one 0
 */
function coldestMerged(heats: readonly number[], maxCount: number): number[] {
  const total = heats.reduce((sum, heat) => sum + heat, 0);
  let low = 0;
  let high = total;
  let best = runsUpTo(heats, high);
  // Halved so often, the sum is as exact as anybody can see.
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    const starts = runsUpTo(heats, middle);
    if (starts.length <= maxCount) {
      best = starts;
      high = middle;
    } else {
      low = middle;
    }
  }
  return best;
}

/** Where runs of neighbours begin whose sums are at most `limit`; what is hotter than that stays alone. */
function runsUpTo(heats: readonly number[], limit: number): number[] {
  const starts: number[] = [];
  let sum = Number.POSITIVE_INFINITY;
  heats.forEach((heat, at) => {
    if (sum + heat > limit) {
      starts.push(at);
      sum = heat;
    } else {
      sum += heat;
    }
  });
  return starts;
}

/** Of each bucket, so that bytes and keys, reads and writes count alike. */
function heatOf({ edges, values }: HeatColumn): number[] {
  const totals = byKind((kind) => values[kind].reduce((sum, value) => sum + value, 0) || 1);
  return edges.map((_, at) =>
    heatKinds.reduce((sum, kind) => sum + (values[kind][at] ?? 0) / totals[kind], 0),
  );
}

const NO_HEAT: HeatValues = { writtenBytes: 0, writtenKeys: 0, readBytes: 0, readKeys: 0 };

function byKind<Value>(make: (kind: HeatKind) => Value): Record<HeatKind, Value> {
  return {
    writtenBytes: make("writtenBytes"),
    writtenKeys: make("writtenKeys"),
    readBytes: make("readBytes"),
    readKeys: make("readKeys"),
  };
}

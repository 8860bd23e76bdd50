import { compareKeys } from "@flaredb/rdb-base";
import { ColumnRing } from "./column-ring.ts";
import {
  type HeatColumn,
  type HeatKind,
  type RegionFlow,
  columnOf,
  commonEdges,
  compacted,
  mergedInTime,
  projected,
} from "./heat-column.ts";
import { trafficLimits } from "./limits.ts";

/** A part of the map that is asked for. */
export interface HeatQuery {
  readonly kind: HeatKind;
  readonly fromMs: number;
  readonly toMs: number;
  readonly startKey: Uint8Array;
  /** Empty: to the end of the key space. */
  readonly endKey: Uint8Array;
  readonly columnMaxCount: number;
  readonly bucketMaxCount: number;
}

/** What is drawn. */
export interface HeatView {
  /** Beginning and end of each column. */
  readonly spans: readonly { readonly startMs: number; readonly endMs: number }[];
  /** Where each bucket begins, and last where the last one ends: empty for the end of the key space. */
  readonly edges: readonly Uint8Array[];
  /** By column, then by bucket; a second. */
  readonly values: readonly (readonly number[])[];
}

/**
 * What the key space was asked for: over the last hours in columns of a minute, over the last minutes in finer ones. Pure;
 * fed with samples, of which a column is the mean.
 */
export class HeatMap {
  readonly #fine = new ColumnRing(trafficLimits.fineColumnMs, trafficLimits.fineColumnMaxCount);
  readonly #coarse = new ColumnRing(trafficLimits.columnMs, trafficLimits.columnMaxCount);

  /**
   * What Regions are asked for at this moment.
   *
   * @param flows by rising `startKey`
   * @param sinceMs when the sample before this one was taken
   */
  sample(flows: readonly RegionFlow[], sinceMs: number, nowMs: number): void {
    const column = columnOf(flows, { startMs: sinceMs, endMs: nowMs }, trafficLimits.bucketMaxCount);
    this.#fine.add(column);
    this.#coarse.add(column);
  }

  /** The part that is asked for, in as many columns and buckets as are wanted. */
  view(query: HeatQuery): HeatView {
    const fine = this.#fine.columns();
    const oldestMs = this.#coarse.columns()[0]?.startMs ?? 0;
    const isRecent = fine[0] !== undefined && fine[0].startMs <= Math.max(query.fromMs, oldestMs);
    const all = isRecent ? fine : this.#coarse.columns();
    const wanted = all.filter(({ startMs, endMs }) => endMs > query.fromMs && startMs < query.toMs);
    if (wanted.length === 0) {
      return { spans: [], edges: [query.startKey, query.endKey], values: [] };
    }
    const columns = inTime(wanted, query.columnMaxCount).map((column) => cut(column, query));
    // All columns get the same buckets: those that suit the sum of all best.
    const edges = compacted(sumOf(columns), query.bucketMaxCount).edges;
    return {
      spans: columns.map(({ startMs, endMs }) => ({ startMs, endMs })),
      edges: [...edges, query.endKey],
      values: columns.map((column) => [...projected(column, edges).values[query.kind]]),
    };
  }
}

/** Neighbours merged, so that at most `maxCount` are left, of about equal length. */
function inTime(columns: readonly HeatColumn[], maxCount: number): HeatColumn[] {
  const size = Math.ceil(columns.length / maxCount);
  const merged: HeatColumn[] = [];
  for (let at = 0; at < columns.length; at += size) {
    const [first, ...rest] = columns.slice(at, at + size);
    if (first !== undefined) {
      merged.push(mergedInTime([first, ...rest], trafficLimits.bucketMaxCount));
    }
  }
  return merged;
}

/** The part of a column between two keys; its first bucket begins at the first one. */
function cut(column: HeatColumn, { startKey, endKey }: HeatQuery): HeatColumn {
  if (startKey.length === 0 && endKey.length === 0) {
    return column;
  }
  const { edges } = column;
  const isBehindStart = (key: Uint8Array): boolean => compareKeys(key, startKey) > 0;
  const isBeforeEnd = (key: Uint8Array): boolean => endKey.length === 0 || compareKeys(key, endKey) < 0;
  const inner = edges.filter((key) => isBehindStart(key) && isBeforeEnd(key));
  // With the ends as edges of their own, what lies outside is in buckets of its own.
  const outer = [
    ...(startKey.length === 0 ? [] : [new Uint8Array()]),
    startKey,
    ...inner,
    ...(endKey.length === 0 ? [] : [endKey]),
  ];
  const whole = projected(column, outer);
  const from = startKey.length === 0 ? 0 : 1;
  const to = from + 1 + inner.length;
  const part = (kind: HeatKind): Float32Array => whole.values[kind].slice(from, to);
  return {
    ...{ startMs: column.startMs, endMs: column.endMs, edges: outer.slice(from, to) },
    values: {
      writtenBytes: part("writtenBytes"),
      writtenKeys: part("writtenKeys"),
      readBytes: part("readBytes"),
      readKeys: part("readKeys"),
    },
  };
}

/** All columns as one. */
function sumOf(columns: readonly HeatColumn[]): HeatColumn {
  const [first, ...rest] = columns as readonly [HeatColumn, ...HeatColumn[]];
  return mergedInTime([first, ...rest], commonEdges(columns).length);
}

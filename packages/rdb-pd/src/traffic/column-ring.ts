import { compareKeys } from "@flaredb/rdb-base";
import { type HeatColumn, mergedInTime } from "./heat-column.ts";
import { trafficLimits } from "./limits.ts";

/** Columns of about equal length, the newest ones; the last one is still being sampled. Pure. */
export class ColumnRing {
  readonly #columnMs: number;
  readonly #maxCount: number;
  readonly #columns: HeatColumn[] = [];
  #samples: HeatColumn[] = [];

  /** @param maxCount of columns that are kept beside the one that is being sampled */
  constructor(columnMs: number, maxCount: number) {
    this.#columnMs = columnMs;
    this.#maxCount = maxCount;
  }

  /** The oldest first. */
  columns(): readonly HeatColumn[] {
    return this.#samples.length === 0 ? this.#columns : [...this.#columns, this.#current()];
  }

  add(sample: HeatColumn): void {
    const [first] = this.#samples;
    const isFull =
      first !== undefined &&
      (Math.floor(first.endMs / this.#columnMs) !== Math.floor(sample.endMs / this.#columnMs) ||
        this.#samples.length >= trafficLimits.sampleMaxCount);
    if (isFull) {
      this.#columns.push(this.#shareEdges(this.#current()));
      this.#samples = [];
      this.#columns.splice(0, Math.max(0, this.#columns.length - this.#maxCount));
    }
    this.#samples.push(sample);
  }

  #current(): HeatColumn {
    const [first, ...rest] = this.#samples;
    return mergedInTime([first as HeatColumn, ...rest], trafficLimits.bucketMaxCount);
  }

  /** Most of the time nothing is split: one array of edges does for all columns. */
  #shareEdges(column: HeatColumn): HeatColumn {
    const before = this.#columns.at(-1)?.edges;
    const isSame =
      before?.length === column.edges.length &&
      before.every((edge, at) => compareKeys(edge, column.edges[at] as Uint8Array) === 0);
    return isSame && before !== undefined ? { ...column, edges: before } : column;
  }
}

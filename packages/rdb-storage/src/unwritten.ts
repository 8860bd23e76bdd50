import type { KeyRange } from "@flaredb/rdb-base";
import { FlatBatch } from "./batch-codec.ts";
import { type Column, columnNumbers, columns } from "./column.ts";
import {
  type KeyText,
  type TextRange,
  byCodeUnits,
  inTextRange,
  keyText,
  lowerBound,
  textRange,
} from "./key-text.ts";
import type { WriteOp } from "./write-part.ts";

/** Stands in an overlay for a value that is deleted. */
export const DELETED: Uint8Array = new Uint8Array(0);

/**
 * Parts that are written in one go, and what they leave visible: the newest value of each key. Most steps are written
 * before anybody reads their rows, so a column is indexed when somebody does.
 */
export class BatchStep {
  readonly kind = "batch";
  readonly callbacks: (() => void)[] = [];
  readonly batch: FlatBatch;
  sync = false;
  /** How many were submitted. */
  partCount = 0;
  /** Of each column what came since it was indexed. */
  readonly #unindexed: WriteOp[][] = columns.map(() => []);
  readonly #values: (Map<KeyText, Uint8Array> | undefined)[] = columns.map(() => undefined);
  readonly #sorted: (readonly KeyText[] | undefined)[] = columns.map(() => undefined);

  constructor(reuse: Uint8Array<ArrayBuffer> | undefined) {
    this.batch = new FlatBatch(reuse);
  }

  get sizeBytes(): number {
    return this.batch.sizeBytes;
  }

  add(op: WriteOp): void {
    const { column, key, value } = op;
    this.batch.add(column, key, value);
    this.#unindexed[columnNumbers[column]]?.push(op);
  }

  /** Undefined: this step says nothing about the key. */
  find(column: Column, key: KeyText): Uint8Array | undefined {
    return this.#valuesOf(columnNumbers[column])?.get(key);
  }

  /** Calls `visit` with every key of the range that this step writes, in ascending order. */
  forEachIn(column: Column, range: TextRange, visit: (key: KeyText, value: Uint8Array) => void): void {
    const number = columnNumbers[column];
    const values = this.#valuesOf(number);
    if (values === undefined) {
      return;
    }
    const keys = this.#sortedKeys(number, values);
    for (let i = lowerBound(keys, range.start); i < keys.length; i++) {
      const key = keys[i] as KeyText;
      if (range.end !== undefined && key >= range.end) {
        return;
      }
      visit(key, values.get(key) as Uint8Array);
    }
  }

  #valuesOf(number: number): ReadonlyMap<KeyText, Uint8Array> | undefined {
    const ops = this.#unindexed[number] ?? [];
    if (ops.length > 0) {
      const values = this.#values[number] ?? new Map<KeyText, Uint8Array>();
      for (const { key, value } of ops) {
        values.set(keyText(key), value ?? DELETED);
      }
      this.#unindexed[number] = [];
      this.#values[number] = values;
      this.#sorted[number] = undefined;
    }
    return this.#values[number];
  }

  #sortedKeys(number: number, values: ReadonlyMap<KeyText, Uint8Array>): readonly KeyText[] {
    let keys = this.#sorted[number];
    if (keys === undefined) {
      keys = [...values.keys()].sort(byCodeUnits);
      this.#sorted[number] = keys;
    }
    return keys;
  }
}

/** A deletion of a whole range: a write of its own (DESIGN §3). */
export class DeleteRangeStep {
  readonly kind = "deleteRange";
  readonly partCount = 1;
  readonly callbacks: (() => void)[] = [];
  readonly sizeBytes: number;
  readonly column: Column;
  readonly range: KeyRange;
  readonly #textRange: TextRange;

  constructor(column: Column, range: KeyRange) {
    this.column = column;
    this.range = range;
    this.#textRange = textRange(range);
    this.sizeBytes = range.startKey.length + range.endKey.length;
  }

  /** {@link DELETED} when the key is in the range, else undefined. */
  find(column: Column, key: KeyText): Uint8Array | undefined {
    return column === this.column && inTextRange(key, this.#textRange) ? DELETED : undefined;
  }

  get text(): TextRange {
    return this.#textRange;
  }
}

export type Step = BatchStep | DeleteRangeStep;

/** What the unwritten steps make of a range: rows that override the database's, and ranges deleted in it. */
export interface Overlay {
  /** Ascending. A value of {@link DELETED} hides the database's row. */
  readonly rows: readonly (readonly [key: KeyText, value: Uint8Array])[];
  readonly deleted: readonly TextRange[];
}

/** The overlay of `steps` (oldest first) over a range. */
export function overlayOf(steps: readonly Step[], column: Column, range: KeyRange): Overlay {
  const bounds = textRange(range);
  const merged = new Map<KeyText, Uint8Array>();
  const deleted: TextRange[] = [];
  for (const step of steps) {
    if (step.kind === "batch") {
      step.forEachIn(column, bounds, (key, value) => merged.set(key, value));
    } else if (step.column === column) {
      deleted.push(step.text);
      for (const key of merged.keys()) {
        if (inTextRange(key, step.text)) {
          merged.delete(key);
        }
      }
    }
  }
  return { rows: [...merged].sort((a, b) => byCodeUnits(a[0], b[0])), deleted };
}

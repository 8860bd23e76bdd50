import { type KeyText, type TextRange, byCodeUnits, lowerBound } from "./key-text.ts";

/** An ordered map in memory: what a column family is to `MemoryRawEngine`. */
export class MemoryTable {
  readonly #values: Map<KeyText, Uint8Array>;
  /** Undefined when a key came or went since it was made. */
  #sorted: KeyText[] | undefined;

  constructor(values: ReadonlyMap<KeyText, Uint8Array> = new Map()) {
    this.#values = new Map(values);
  }

  copy(): MemoryTable {
    return new MemoryTable(this.#values);
  }

  get(key: KeyText): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** `value` undefined deletes. */
  set(key: KeyText, value: Uint8Array | undefined): void {
    const sizeBefore = this.#values.size;
    if (value === undefined) {
      this.#values.delete(key);
    } else {
      this.#values.set(key, value);
    }
    if (this.#values.size !== sizeBefore) {
      this.#sorted = undefined;
    }
  }

  deleteIn(range: TextRange): void {
    for (const [key] of this.rowsIn(range)) {
      this.#values.delete(key);
      this.#sorted = undefined;
    }
  }

  /** A copy, ascending. */
  rowsIn(range: TextRange): (readonly [key: KeyText, value: Uint8Array])[] {
    this.#sorted ??= [...this.#values.keys()].sort(byCodeUnits);
    const start = lowerBound(this.#sorted, range.start);
    const end = range.end === undefined ? this.#sorted.length : lowerBound(this.#sorted, range.end);
    return this.#sorted.slice(start, end).map((key) => [key, this.#values.get(key) as Uint8Array] as const);
  }
}

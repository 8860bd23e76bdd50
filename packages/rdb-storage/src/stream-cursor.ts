import type { Cursor, CursorOptions, Row } from "./engine.ts";
import type { RawIterator } from "./raw-engine.ts";
import { type KeyText, inTextRange, keyOfText, keyText } from "./key-text.ts";
import { DELETED, type Overlay } from "./unwritten.ts";

/** Most rows asked of the raw iterator at a time, so that a turn of the loop stays short. */
const RAW_PAGE_MAX_COUNT = 512;
const NO_VALUE = new Uint8Array(0);

/** The database's rows under the unwritten ones: exactly what was submitted when both were taken. */
export class StreamCursor implements Cursor {
  readonly #raw: RawIterator;
  readonly #overlay: Overlay;
  /** Nothing unwritten was in the range: the database's rows are the answer. */
  readonly #isPlain: boolean;
  readonly #reverse: boolean;
  readonly #keysOnly: boolean;
  #overlayPosition = 0;
  #page: readonly Row[] = [];
  #pagePosition = 0;
  #rawDone = false;
  readonly #onClose: () => void;

  /** @param overlay its rows in ascending order, taken in the same turn in which `raw` was opened */
  constructor(raw: RawIterator, overlay: Overlay, options: CursorOptions, onClose: () => void) {
    this.#raw = raw;
    this.#reverse = options.reverse ?? false;
    this.#keysOnly = options.keysOnly ?? false;
    this.#overlay = this.#reverse ? { ...overlay, rows: overlay.rows.toReversed() } : overlay;
    this.#isPlain = overlay.rows.length === 0 && overlay.deleted.length === 0;
    this.#onClose = onClose;
  }

  async next(maxCount: number, maxBytes: number): Promise<{ rows: readonly Row[]; done: boolean }> {
    const rows: Row[] = [];
    let bytes = 0;
    while (rows.length < maxCount && bytes < maxBytes) {
      if (this.#pagePosition === this.#page.length && !this.#rawDone) {
        await this.#fetch(Math.min(maxCount - rows.length, RAW_PAGE_MAX_COUNT));
      }
      const row = this.#isPlain ? this.#takeRaw() : this.#takeLowest();
      if (row === "end") {
        return { rows, done: true };
      }
      if (row !== "hidden") {
        rows.push(row);
        bytes += row.key.length + row.value.length;
      }
    }
    return { rows, done: false };
  }

  close(): void {
    this.#raw.close();
    this.#onClose();
  }

  async #fetch(count: number): Promise<void> {
    const { rows, done } = await this.#raw.next(count);
    this.#page = rows;
    this.#pagePosition = 0;
    this.#rawDone = done;
  }

  #takeRaw(): Row | "end" {
    const row = this.#page[this.#pagePosition];
    if (row === undefined) {
      return "end";
    }
    this.#pagePosition++;
    return row;
  }

  /** The row that comes next in the direction of the walk, taken off its source. */
  #takeLowest(): Row | "hidden" | "end" {
    const rawRow = this.#page[this.#pagePosition];
    const overlayRow = this.#overlay.rows[this.#overlayPosition];
    if (rawRow === undefined) {
      return overlayRow === undefined ? "end" : this.#takeOverlay(overlayRow);
    }
    const rawKey = keyText(rawRow.key);
    if (overlayRow !== undefined && this.#comesFirst(overlayRow[0], rawKey)) {
      if (overlayRow[0] === rawKey) {
        this.#pagePosition++;
      }
      return this.#takeOverlay(overlayRow);
    }
    this.#pagePosition++;
    return this.#overlay.deleted.some((range) => inTextRange(rawKey, range)) ? "hidden" : rawRow;
  }

  #takeOverlay([key, value]: readonly [KeyText, Uint8Array]): Row | "hidden" {
    this.#overlayPosition++;
    if (value === DELETED) {
      return "hidden";
    }
    return { key: keyOfText(key), value: this.#keysOnly ? NO_VALUE : value };
  }

  /** Whether `a` comes before `b` in the direction of the walk, or is the same. */
  #comesFirst(a: KeyText, b: KeyText): boolean {
    return this.#reverse ? a >= b : a <= b;
  }
}

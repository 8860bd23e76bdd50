import { KiB, assert } from "@flaredb/rdb-base";
import type { KeyText } from "./key-text.ts";

/**
 * Values lie in pieces of memory of this size. What is found is a view of one: a piece that made room for newer rows lives
 * on for as long as somebody holds such a view.
 */
const PIECE_BYTES = 256 * KiB;
/** Larger values are not kept: a few of them would take the place of thousands. */
const ROW_MAX_BYTES = 16 * KiB;
/** About what a row takes beside its value and key: its place here, and what V8 needs for it. */
const ROW_OVERHEAD_BYTES = 128;

interface Piece {
  readonly bytes: Uint8Array;
  readonly keys: KeyText[];
}

/** One read of rows that are not here, while it is at the database. */
export interface RowRead {
  readonly texts: readonly KeyText[];
}

/**
 * Rows that were read lately, as they are stored, so that the next read of one needs no other thread: the oldest make room.
 *
 * Invariant: what is found is what was last submitted. Every write of a key is told with {@link changed} or
 * {@link clear}; what a read finds while that happens may be the row of before, and is not kept.
 */
export class RowCache {
  readonly #pieceMaxCount: number;
  readonly #pieces: Piece[] = [];
  /** The piece that takes rows, and how far. */
  #last = -1;
  #offset = 0;
  #chargedBytes = PIECE_BYTES;
  /** Where a value lies: its piece, its offset there and its length, as one number. */
  readonly #places = new Map<KeyText, number>();
  /** The latest read of each key that is under way and was not written to since. */
  readonly #reads = new Map<KeyText, RowRead>();

  /** @param maxBytes of values, keys and what V8 needs for them; less than 256 KiB: nothing is kept */
  constructor(maxBytes: number) {
    this.#pieceMaxCount = Math.floor(maxBytes / PIECE_BYTES);
  }

  /** Whether there is nothing here that a write or a read has to look for. */
  get isIdle(): boolean {
    return this.#places.size === 0 && this.#reads.size === 0;
  }

  /** A view of the value. */
  get(key: KeyText): Uint8Array | undefined {
    const place = this.#places.get(key);
    if (place === undefined) {
      return undefined;
    }
    const length = place % (ROW_MAX_BYTES + 1);
    const start = (place - length) / (ROW_MAX_BYTES + 1);
    const { bytes } = this.#pieces[Math.floor(start / PIECE_BYTES)] as Piece;
    return new Uint8Array(bytes.buffer, start % PIECE_BYTES, length);
  }

  /** The key was written to. */
  changed(key: KeyText): void {
    this.#places.delete(key);
    this.#reads.delete(key);
  }

  /** Any key may have been written to. */
  clear(): void {
    this.#places.clear();
    this.#reads.clear();
    this.#pieces.length = 0;
    this.#last = -1;
    this.#chargedBytes = PIECE_BYTES;
  }

  /** These keys are looked up in the database from now on. To be ended in any case. */
  beginRead(texts: readonly KeyText[]): RowRead {
    const read: RowRead = { texts };
    if (this.#pieceMaxCount > 0) {
      for (const key of texts) {
        this.#reads.set(key, read);
      }
    }
    return read;
  }

  /** @param values of the first keys, as many as were found out */
  endRead(read: RowRead, values: readonly (Uint8Array | undefined)[]): void {
    const { texts } = read;
    for (let place = 0; place < texts.length; place++) {
      const key = texts[place] as KeyText;
      if (this.#reads.get(key) === read) {
        this.#reads.delete(key);
        const value = values[place];
        if (value !== undefined && value.length <= ROW_MAX_BYTES) {
          this.#keep(key, value);
        }
      }
    }
  }

  #keep(key: KeyText, value: Uint8Array): void {
    if (this.#chargedBytes >= PIECE_BYTES || this.#offset + value.length > PIECE_BYTES) {
      this.#beginPiece();
    }
    const { bytes, keys } = this.#pieces[this.#last] as Piece;
    bytes.set(value, this.#offset);
    keys.push(key);
    this.#places.set(key, (this.#last * PIECE_BYTES + this.#offset) * (ROW_MAX_BYTES + 1) + value.length);
    this.#offset += value.length;
    this.#chargedBytes += value.length + key.length + ROW_OVERHEAD_BYTES;
  }

  /** In the place of the oldest, once there are as many as may be. */
  #beginPiece(): void {
    this.#last = (this.#last + 1) % this.#pieceMaxCount;
    for (const key of this.#pieces[this.#last]?.keys ?? []) {
      if (this.#pieceOf(key) === this.#last) {
        this.#places.delete(key);
      }
    }
    assert(this.#last <= this.#pieces.length, "pieces follow one another");
    // Not the old memory: views of it may be in use.
    this.#pieces[this.#last] = { bytes: new Uint8Array(PIECE_BYTES), keys: [] };
    this.#offset = 0;
    this.#chargedBytes = 0;
  }

  #pieceOf(key: KeyText): number | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : Math.floor(place / (ROW_MAX_BYTES + 1) / PIECE_BYTES);
  }
}

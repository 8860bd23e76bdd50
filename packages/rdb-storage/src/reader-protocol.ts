import { assert } from "@flaredb/rdb-base";
import type { Column } from "./column.ts";

/** Point reads for the reader thread, in one flat buffer of length-prefixed keys. */
export interface ReaderRequest {
  readonly lookups: readonly { readonly column: Column; readonly keyCount: number }[];
  readonly keys: Uint8Array<ArrayBuffer>;
}

/** One outcome for each lookup; the values that were found or are absent follow one another in `values`. */
export interface ReaderAnswer {
  /** Of how many of the lookup's keys, from the first, the values are there; none when the answer was full before it. */
  readonly outcomes: readonly (number | ReadFailure)[];
  readonly values: Uint8Array<ArrayBuffer>;
}

export interface ReadFailure {
  readonly isCorruption: boolean;
  readonly message: string;
}

const LENGTH_BYTES = 4;
/** In place of a length: there is no such row. */
const ABSENT = 0xffff_ffff;

/** Byte strings, any of which may be absent, as one buffer. */
export function packBytes(items: readonly (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const item of items) {
    size += LENGTH_BYTES + (item?.length ?? 0);
  }
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  let offset = 0;
  for (const item of items) {
    view.setUint32(offset, item === undefined ? ABSENT : item.length, true);
    offset += LENGTH_BYTES;
    if (item !== undefined) {
      packed.set(item, offset);
      offset += item.length;
    }
  }
  return packed;
}

/** Reads back, one after another, what {@link packBytes} packed. */
export class PackedBytes {
  readonly #packed: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(packed: Uint8Array) {
    this.#packed = packed;
    this.#view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  }

  /** The next `count` items, as views. */
  take(count: number): (Uint8Array | undefined)[] {
    const items: (Uint8Array | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      const length = this.#view.getUint32(this.#offset, true);
      this.#offset += LENGTH_BYTES;
      if (length === ABSENT) {
        items.push(undefined);
      } else {
        items.push(this.#packed.subarray(this.#offset, this.#offset + length));
        this.#offset += length;
      }
    }
    assert(this.#offset <= this.#packed.length, "packed bytes hold whole items");
    return items;
  }
}

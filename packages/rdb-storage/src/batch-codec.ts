import { assert } from "@flaredb/rdb-base";
import type { WriteOp } from "./write-part.ts";
import { type Column, columnNumbers, columns } from "./column.ts";

// One mutation: column number (with the highest bit set for a deletion), key length, value length (both u32, little
// endian), key, value. One flat buffer, because it goes to the writer thread in one step.
const HEADER_BYTES = 9;
const DELETE_BIT = 0x80;
const INITIAL_BYTES = 64 * 1024;

/** Mutations in order, in one flat buffer that can be handed to another thread. */
export class FlatBatch {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** @param reuse a buffer of an earlier batch, which nobody reads any more */
  constructor(reuse?: Uint8Array<ArrayBuffer>) {
    this.#bytes = reuse ?? new Uint8Array(INITIAL_BYTES);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  get sizeBytes(): number {
    return this.#length;
  }

  /** Appends a mutation; `value` undefined deletes. Copies key and value. */
  add(column: Column, key: Uint8Array, value: Uint8Array | undefined): void {
    const valueLength = value === undefined ? 0 : value.length;
    let offset = this.#length;
    this.#reserve(offset + HEADER_BYTES + key.length + valueLength);
    this.#bytes[offset] = columnNumbers[column] | (value === undefined ? DELETE_BIT : 0);
    this.#view.setUint32(offset + 1, key.length, true);
    this.#view.setUint32(offset + 5, valueLength, true);
    offset += HEADER_BYTES;
    this.#bytes.set(key, offset);
    offset += key.length;
    if (value !== undefined) {
      this.#bytes.set(value, offset);
    }
    this.#length = offset + valueLength;
  }

  /** The batch as bytes. The batch is not used afterwards: the buffer belongs to the caller. */
  take(): EncodedBatch {
    return { buffer: this.#bytes, length: this.#length };
  }

  #reserve(needed: number): void {
    if (needed <= this.#bytes.length) {
      return;
    }
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** The first `length` bytes of `buffer` are mutations. */
export interface EncodedBatch<Memory extends ArrayBufferLike = ArrayBuffer> {
  readonly buffer: Uint8Array<Memory>;
  readonly length: number;
}

/** The mutations of a batch, in order. Keys and values are views of its buffer. */
export function* decodeBatch(batch: EncodedBatch<ArrayBufferLike>): Generator<WriteOp, void, undefined> {
  const { buffer, length } = batch;
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let offset = 0;
  while (offset < length) {
    assert(offset + HEADER_BYTES <= length, "an encoded batch ends with a whole mutation");
    const tag = buffer[offset] as number;
    const keyStart = offset + HEADER_BYTES;
    const valueStart = keyStart + view.getUint32(offset + 1, true);
    offset = valueStart + view.getUint32(offset + 5, true);
    const column = columns[tag & ~DELETE_BIT];
    assert(column !== undefined && offset <= length, "an encoded batch holds known columns and whole values");
    yield {
      column,
      key: buffer.subarray(keyStart, valueStart),
      value: (tag & DELETE_BIT) === 0 ? buffer.subarray(valueStart, offset) : undefined,
    };
  }
}

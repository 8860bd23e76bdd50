import { assert } from "@flaredb/rdb-base";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Longest varint of a safe integer: 53 bits, 7 a byte. */
export const VARINT_MAX_BYTES = 8;

/**
 * Writes protobuf from the last byte to the first, so that a nested message's length is known when its prefix is
 * written: one pass, one buffer, each byte copied once. Fields therefore go in from the last to the first.
 */
export class BackwardWriter {
  readonly #buffer: Uint8Array;
  #position: number;

  /** @param capacityBytes at least what will be written */
  constructor(capacityBytes: number) {
    this.#buffer = new Uint8Array(capacityBytes);
    this.#position = capacityBytes;
  }

  /** How many bytes there are so far; the difference of two is what was written between them. */
  get writtenBytes(): number {
    return this.#buffer.length - this.#position;
  }

  /** What was written. No copy: the writer is done. */
  finish(): Uint8Array {
    return this.#buffer.subarray(this.#position);
  }

  /** A u64, u32 or enum. Zero is left out, as proto3 does. `value` is a safe integer. */
  number(field: number, value: number): void {
    if (value !== 0) {
      this.#varint(value);
      this.#tag(field, VARINT);
    }
  }

  bool(field: number, value: boolean): void {
    this.number(field, value ? 1 : 0);
  }

  /** Bytes, left out when empty. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) {
      this.raw(value);
      this.#lengthPrefix(field, value.length);
    }
  }

  /** A nested message that was written since `writtenBytes` was `before`. An empty one counts as present. */
  message(field: number, before: number): void {
    this.#lengthPrefix(field, this.writtenBytes - before);
  }

  /** A repeated u64, packed. */
  packedNumbers(field: number, values: readonly number[]): void {
    if (values.length === 0) {
      return;
    }
    const before = this.writtenBytes;
    for (let i = values.length - 1; i >= 0; i--) {
      this.#varint(values[i] as number);
    }
    this.#lengthPrefix(field, this.writtenBytes - before);
  }

  /** Bytes without tag and length. */
  raw(value: Uint8Array): void {
    this.#position -= value.length;
    assert(this.#position >= 0, "the writer's capacity holds what is written");
    this.#buffer.set(value, this.#position);
  }

  #lengthPrefix(field: number, lengthBytes: number): void {
    this.#varint(lengthBytes);
    this.#tag(field, LENGTH_DELIMITED);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    let position = this.#position - varintBytes(value);
    assert(position >= 0, "the writer's capacity holds what is written");
    this.#position = position;
    let rest = value;
    // Above 31 bits the bit operators would cut the number off.
    while (rest > 0x7fff_ffff) {
      this.#buffer[position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#buffer[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[position] = rest;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  let limit = 128;
  while (value >= limit) {
    limit *= 128;
    bytes++;
  }
  return bytes;
}

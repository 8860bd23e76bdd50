import { assert } from "@flaredb/rdb-base";
import { FRAME_HEADER_BYTES } from "../grpc-frame.ts";

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

  /**
   * @param capacityBytes at least what will be written
   * @param use "passing": it is gone soon, so that it may share memory with what is made before and after it, which takes
   *   a fifth of the time to get; "kept": it would keep all of that alive. Default "passing"
   */
  constructor(capacityBytes: number, use: "passing" | "kept" = "passing") {
    // Not zeroed: what is handed out was written. Room for the frame's prefix stays free before it.
    const sizeBytes = FRAME_HEADER_BYTES + capacityBytes;
    this.#buffer = use === "kept" ? Buffer.allocUnsafeSlow(sizeBytes) : Buffer.allocUnsafe(sizeBytes);
    this.#position = sizeBytes;
  }

  /** How many bytes there are so far; the difference of two is what was written between them. */
  get writtenBytes(): number {
    return this.#buffer.length - this.#position;
  }

  /** What was written, with room for a frame's prefix before it in its buffer. No copy: the writer is done. */
  finish(): Uint8Array {
    const { buffer, byteOffset, length } = this.#buffer;
    return new Uint8Array(buffer, byteOffset + this.#position, length - this.#position);
  }

  /** A u64, u32 or enum. Zero is left out, as proto3 does. `value` is a safe integer. */
  number(field: number, value: number): void {
    if (value !== 0) {
      this.#varint(value);
      this.#tag(field, VARINT);
    }
  }

  /** A s32, in zigzag form. */
  signed(field: number, value: number): void {
    this.number(field, value >= 0 ? 2 * value : -2 * value - 1);
  }

  bool(field: number, value: boolean): void {
    this.number(field, value ? 1 : 0);
  }

  /** Bytes, left out when empty. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) {
      this.embed(field, value);
    }
  }

  /** A nested message's bytes, present also when empty. */
  embed(field: number, message: Uint8Array): void {
    this.raw(message);
    this.#lengthPrefix(field, message.length);
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
    assert(this.#position >= FRAME_HEADER_BYTES, "the writer's capacity holds what is written");
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
    assert(position >= FRAME_HEADER_BYTES, "the writer's capacity holds what is written");
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

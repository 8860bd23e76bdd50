import { VARINT_MAX_BYTES } from "./backward-writer.ts";

const NO_PIECE = new ArrayBuffer(0);

/** A tag as one number: field * 8 + wire type. */
export const tag = {
  varint: (field: number): number => field * 8,
  bytes: (field: number): number => field * 8 + 2,
} as const;

/** What a copied row holds of the message it came in, at most. */
const PIECE_BYTES = 8 * 1024;
/** Larger rows are not copied. */
const COPIED_MAX_BYTES = PIECE_BYTES / 4;

/**
 * Reads protobuf for the decoders of hot messages. It knows only what those messages hold: numbers up to 2^53 and
 * bytes. At anything else it stops where it is and says so; the generated code then reads the whole message, and tells
 * what is malformed from what is only unusual.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #position: number;
  #end: number;
  #isOdd = false;
  /** A copy of what follows `#pieceStart`, for {@link copyNested}. */
  #piece = NO_PIECE;
  #pieceStart = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#position = 0;
    this.#end = bytes.length;
  }

  /** Something was met that this reader does not know: what was read is not to be used. */
  get isOdd(): boolean {
    return this.#isOdd;
  }

  /** The next tag, or 0 where the message ends. */
  nextTag(): number {
    if (this.#position >= this.#end) {
      return 0;
    }
    const tag = this.number();
    if (tag === 0) {
      this.odd();
    }
    return tag;
  }

  /** Ends the reading. */
  odd(): void {
    this.#isOdd = true;
    this.#position = this.#end;
  }

  /** A varint that is a safe integer. */
  number(): number {
    const first = this.#bytes[this.#position++] as number;
    return first < 0x80 && this.#position <= this.#end ? first : this.#longNumber(first);
  }

  /** A varint of 32 bits, without sign. */
  uint32(): number {
    const value = this.number();
    if (value > 0xffff_ffff) {
      this.odd();
    }
    return value;
  }

  /** A number of an enum. */
  enumeration(): number {
    const value = this.number();
    if (value > 0x7fff_ffff) {
      this.odd();
    }
    return value;
  }

  /** A varint in zigzag form, of 32 bits. */
  sint32(): number {
    const value = this.uint32();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view of bytes that come with their length. */
  bytes(): Uint8Array {
    const length = this.number();
    const start = this.#position;
    if (start + length > this.#end) {
      this.odd();
      return this.#bytes.subarray(0, 0);
    }
    this.#position = start + length;
    // Not subarray: of a Buffer it takes longer.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /**
   * Makes {@link copiedBytes} of the nested message that was just entered views of a copy of it, which small messages
   * share with their neighbours: each by itself would take longer to get memory for than to read.
   *
   * @returns false: it is too large for that
   */
  copyNested(): boolean {
    const start = this.#position;
    if (this.#end - start > COPIED_MAX_BYTES) {
      return false;
    }
    if (start < this.#pieceStart || this.#end > this.#pieceStart + this.#piece.byteLength) {
      const from = this.#bytes.byteOffset + start;
      const length = Math.min(PIECE_BYTES, this.#bytes.length - start);
      this.#piece = new Uint8Array(this.#bytes.buffer, from, length).slice().buffer;
      this.#pieceStart = start;
    }
    return true;
  }

  /** As {@link bytes}, of the copy that {@link copyNested} made. */
  copiedBytes(): Uint8Array {
    const length = this.number();
    const start = this.#position;
    if (start + length > this.#end) {
      this.odd();
      return this.#bytes.subarray(0, 0);
    }
    this.#position = start + length;
    return new Uint8Array(this.#piece, start - this.#pieceStart, length);
  }

  /** Where a nested message begins: before its length, for {@link rewind}. */
  get position(): number {
    return this.#position;
  }

  /**
   * Leaves a nested message that is read by somebody else after all.
   *
   * @returns its bytes
   */
  rewind(position: number, outerEnd: number): Uint8Array {
    this.#position = position;
    this.#end = outerEnd;
    return this.bytes();
  }

  /** Begins a nested message. @returns what `leave` takes */
  enter(): number {
    const length = this.number();
    const outerEnd = this.#end;
    if (this.#position + length > outerEnd) {
      this.odd();
      return outerEnd;
    }
    this.#end = this.#position + length;
    return outerEnd;
  }

  /** Ends a nested message, which was read to its end. */
  leave(outerEnd: number): void {
    if (this.#isOdd) {
      this.#position = outerEnd;
    }
    this.#end = outerEnd;
  }

  #longNumber(first: number): number {
    let value = first & 0x7f;
    let byte = first;
    for (let scale = 0x80, count = 1; byte >= 0x80 && count < VARINT_MAX_BYTES; scale *= 0x80, count++) {
      byte = this.#bytes[this.#position++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) {
        break;
      }
    }
    if (this.#position > this.#end || byte >= 0x80 || !Number.isSafeInteger(value)) {
      this.odd();
      return 0;
    }
    return value;
  }
}

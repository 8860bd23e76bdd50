import { RdbError, assert, safeInteger } from "@flaredb/rdb-base";

const TWO_TO_32 = 2 ** 32;

/** Writes a safe integer as u64, big endian, so that numbers order as their bytes do. */
export function writeU64(target: Uint8Array, offset: number, value: number): void {
  writeU32(target, offset, Math.floor(value / TWO_TO_32));
  writeU32(target, offset + 4, value % TWO_TO_32);
}

function writeU32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** Reads what {@link writeU64} wrote. The caller has checked that 8 bytes are there. */
export function readU64(source: Uint8Array, offset: number): number {
  return readU32(source, offset) * TWO_TO_32 + readU32(source, offset + 4);
}

function readU32(source: Uint8Array, offset: number): number {
  return (
    (source[offset] as number) * 0x100_0000 +
    (((source[offset + 1] as number) << 16) |
      ((source[offset + 2] as number) << 8) |
      (source[offset + 3] as number))
  );
}

/**
 * Memory for a row that is written soon and not kept. It holds whatever it held before, and is part of a larger piece:
 * one of its own takes five times as long to get.
 */
export function passingBytes(length: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafe(length);
  return new Uint8Array(buffer, byteOffset, length);
}

/** Most records are shorter. So much lies in V8's heap, which is the quickest to get. */
const RECORD_INITIAL_BYTES = 64;

/** Builds a small binary record, field by field. */
export class RecordWriter {
  #record = new Uint8Array(RECORD_INITIAL_BYTES);
  #length = 0;

  u8(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xff, "a u8 is an integer from 0 to 255");
    const start = this.#advance(1);
    this.#record[start] = value;
    return this;
  }

  u64(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, "a u64 is written from a safe integer");
    const start = this.#advance(8);
    writeU64(this.#record, start, value);
    return this;
  }

  u64List(values: readonly number[]): this {
    this.u64(values.length);
    for (const value of values) {
      this.u64(value);
    }
    return this;
  }

  /** With its length before it. */
  bytes(value: Uint8Array): this {
    return this.u64(value.length).#raw(value);
  }

  /** The record. Nothing is added afterwards. */
  finish(): Uint8Array {
    // Not subarray: a view of what lies in V8's heap moves it out of there first.
    return this.#record.slice(0, this.#length);
  }

  #raw(bytes: Uint8Array): this {
    const start = this.#advance(bytes.length);
    this.#record.set(bytes, start);
    return this;
  }

  /** Where the next so many bytes begin. */
  #advance(byteCount: number): number {
    const start = this.#length;
    this.#length += byteCount;
    if (this.#length > this.#record.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#record.length));
      grown.set(this.#record.subarray(0, start));
      this.#record = grown;
    }
    return start;
  }
}

/** Reads back a record of {@link RecordWriter}. Everything it throws is RdbError RDB_DATA_CORRUPT. */
export class RecordReader {
  readonly #record: Uint8Array;
  readonly #what: string;
  #offset = 0;

  /** @param what names the record in errors */
  constructor(record: Uint8Array, what: string) {
    this.#record = record;
    this.#what = what;
  }

  /** The record's first byte, which must be a known format. */
  format(known: number): this {
    const format = this.u8();
    return format === known ? this : this.fail(`has format ${format}, known is ${known}`);
  }

  u8(): number {
    return this.#record[this.#advance(1)] as number;
  }

  u64(): number {
    const value = readU64(this.#record, this.#advance(8));
    return Number.isSafeInteger(value)
      ? safeInteger(value, this.#what)
      : this.fail("has a number above 2^53");
  }

  u64List(): number[] {
    const count = this.u64();
    if (count > this.#record.length / 8) {
      return this.fail(`has a list of ${count} numbers in ${this.#record.length} bytes`);
    }
    return Array.from({ length: count }, () => this.u64());
  }

  /** A view of the record. */
  bytes(): Uint8Array {
    const length = this.u64();
    const start = this.#advance(length);
    return this.#record.subarray(start, start + length);
  }

  /** The rest of the record, as a view. */
  rest(): Uint8Array {
    return this.#record.subarray(this.#advance(this.#record.length - this.#offset));
  }

  end(): void {
    if (this.#offset !== this.#record.length) {
      this.fail(`has ${this.#record.length - this.#offset} bytes too many`);
    }
  }

  fail(problem: string): never {
    throw new RdbError("RDB_DATA_CORRUPT", `a stored ${this.#what} ${problem}`);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (start + length > this.#record.length) {
      return this.fail(`ends after ${this.#record.length} bytes, inside a field of ${length}`);
    }
    this.#offset = start + length;
    return start;
  }
}

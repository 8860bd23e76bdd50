import { assert } from "@flaredb/rdb-base";

/** One field of a protobuf message: a varint, or length-delimited bytes. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Writes the two protobuf wire types that a conf change needs. */
export class FieldWriter {
  readonly #bytes: number[] = [];

  /** A varint, written even when 0, as proto2 does for a field that is set. */
  number(field: number, value: number): void {
    this.#bytes.push(field * 8 + VARINT);
    this.#varint(value);
  }

  /** Bytes; left out when empty. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) {
      this.message(field, value);
    }
  }

  /** A nested message; written even when empty. */
  message(field: number, value: Uint8Array): void {
    this.#bytes.push(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.length);
    for (const byte of value) {
      this.#bytes.push(byte);
    }
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }
}

/** Reads what FieldWriter wrote. */
export class FieldReader {
  readonly #data: Uint8Array;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  readAll(): Field[] {
    const fields: Field[] = [];
    while (this.#position < this.#data.length) {
      const tag = this.#varint();
      const wireType = tag % 8;
      assert(wireType === VARINT || wireType === LENGTH_DELIMITED, "a conf change has known wire types only");
      const value = wireType === VARINT ? this.#varint() : this.#take(this.#varint());
      fields.push({ number: Math.floor(tag / 8), value });
    }
    return fields;
  }

  #take(length: number): Uint8Array {
    const end = this.#position + length;
    assert(end <= this.#data.length, "a conf change ends where its fields end");
    const bytes = this.#data.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#data[this.#position];
      assert(byte !== undefined, "a conf change ends where its fields end");
      this.#position++;
      value += (byte % 128) * scale;
      if (byte < 128) {
        return value;
      }
      scale *= 128;
    }
  }
}

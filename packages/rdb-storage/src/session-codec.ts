import { RdbError } from "@flaredb/rdb-base";
import { passingBytes, readU64, writeU64 } from "./bytes.ts";

// A row of the column `session`: what one entry of the log answered to writes that have an identity (DESIGN §6).
//   format u8, log time u64, base revision u64, client count varint, {client id u64, floor varint} each, then records:
//   client varint, sequence less its client's floor varint, tag u8, revision less the base varint,
//   first key, [last key], [key hashes], [details], each with its length as varint before it.
// Written for every entry of writes on the hot path, so numbers are as short as they can be.
const FORMAT = 1;
const HEAD_BYTES = 17;
const CLIENT_MAX_BYTES = 8 + 10;
/** A record beside its keys and details: five numbers of at most 10 bytes, four lengths, a tag. */
const RECORD_MAX_BYTES = 9 * 10 + 1;
/** About what a record with a short key takes: room is made for so many of them at once. */
const RECORD_USUAL_BYTES = 32;

const KIND_BITS = 0x0f;
const HAS_LAST_KEY = 0x10;
const HAS_DETAILS = 0x20;
const HAS_KEY_HASHES = 0x40;
const NO_BYTES = new Uint8Array(0);

/** A client of whom an entry recorded writes. */
export interface SessionClient {
  /** A safe integer. */
  readonly clientId: number;
  /** Its lowest open sequence, as far as was told up to and with this entry. */
  readonly floor: number;
}

/** What all records of a row share. */
export interface SessionHead {
  /** The Region's log time at the entry, ms since 1970. */
  readonly logTimeMs: number;
  /** The Region's revision before the entry. */
  readonly baseRevision: number;
  readonly clients: readonly SessionClient[];
}

/** One write that was carried out, and what is needed to give its answer again. */
export interface SessionRecord {
  /** Place in the row's clients. */
  readonly client: number;
  /** At least its client's floor. */
  readonly sequence: number;
  /** Which command it was: 0 to 15. What they mean is up to the state machine. */
  readonly kind: number;
  /** The revision of the answer. */
  readonly revision: number;
  /** The least of the keys that it spoke of ... */
  readonly firstKey: Uint8Array;
  /** ... and the greatest. */
  readonly lastKey: Uint8Array;
  /** What is kept of the keys between those two. What it means is up to the state machine. */
  readonly keyHashes: Uint8Array;
  /** What the answer holds beside the revision; often empty. */
  readonly details: Uint8Array;
}

/** One entry's row, decoded. Its bytes are views of the row. */
export interface SessionRow extends SessionHead {
  readonly records: readonly SessionRecord[];
}

/** Builds one row, record by record. */
export class SessionRowWriter {
  readonly #head: SessionHead;
  #row: Uint8Array;
  #length: number;

  /** @param recordCount how many records will come, about */
  constructor(head: SessionHead, recordCount: number) {
    this.#head = head;
    this.#row = passingBytes(
      HEAD_BYTES + 10 + head.clients.length * CLIENT_MAX_BYTES + recordCount * RECORD_USUAL_BYTES,
    );
    this.#row[0] = FORMAT;
    writeU64(this.#row, 1, head.logTimeMs);
    writeU64(this.#row, 9, head.baseRevision);
    this.#length = HEAD_BYTES;
    this.#varint(head.clients.length);
    for (const { clientId, floor } of head.clients) {
      writeU64(this.#row, this.#length, clientId);
      this.#length += 8;
      this.#varint(floor);
    }
  }

  get sizeBytes(): number {
    return this.#length;
  }

  add(record: SessionRecord): void {
    const { client, sequence, kind, revision, firstKey, lastKey, keyHashes, details } = record;
    this.#reserve(RECORD_MAX_BYTES + firstKey.length + lastKey.length + keyHashes.length + details.length);
    const hasLastKey = lastKey !== firstKey;
    this.#varint(client);
    this.#varint(sequence - (this.#head.clients[client] as SessionClient).floor);
    this.#row[this.#length++] =
      kind |
      (hasLastKey ? HAS_LAST_KEY : 0) |
      (keyHashes.length > 0 ? HAS_KEY_HASHES : 0) |
      (details.length > 0 ? HAS_DETAILS : 0);
    this.#varint(revision - this.#head.baseRevision);
    this.#bytes(firstKey);
    if (hasLastKey) {
      this.#bytes(lastKey);
    }
    if (keyHashes.length > 0) {
      this.#bytes(keyHashes);
    }
    if (details.length > 0) {
      this.#bytes(details);
    }
  }

  /** The row. Nothing is added afterwards. */
  finish(): Uint8Array {
    return this.#row.subarray(0, this.#length);
  }

  #bytes(value: Uint8Array): void {
    this.#varint(value.length);
    this.#row.set(value, this.#length);
    this.#length += value.length;
  }

  /** Seven bits a byte, lowest first; the highest bit says that more follow. Room is reserved. */
  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#row[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#row[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#row.length) {
      const grown = passingBytes(Math.max(this.#length + bytes, this.#row.length * 2));
      grown.set(this.#row.subarray(0, this.#length));
      this.#row = grown;
    }
  }
}

/** @throws RdbError RDB_DATA_CORRUPT when it is no whole row of a known format */
export function decodeSessionRow(row: Uint8Array): SessionRow {
  const reader = new RowReader(row);
  if (reader.u8() !== FORMAT) {
    throw corrupt(`has format ${row[0]}, known is ${FORMAT}`);
  }
  const logTimeMs = reader.u64();
  const baseRevision = reader.u64();
  const clients: SessionClient[] = [];
  for (let count = reader.varint(); count > 0; count--) {
    clients.push({ clientId: reader.u64(), floor: reader.varint() });
  }
  const records: SessionRecord[] = [];
  while (!reader.isAtEnd) {
    const client = reader.varint();
    const floor = clients[client]?.floor;
    if (floor === undefined) {
      throw corrupt(`has a record of client ${client} of ${clients.length}`);
    }
    const sequence = floor + reader.varint();
    const tag = reader.u8();
    const revision = baseRevision + reader.varint();
    const firstKey = reader.bytes();
    const lastKey = (tag & HAS_LAST_KEY) === 0 ? firstKey : reader.bytes();
    const keyHashes = (tag & HAS_KEY_HASHES) === 0 ? NO_BYTES : reader.bytes();
    const details = (tag & HAS_DETAILS) === 0 ? NO_BYTES : reader.bytes();
    const kind = tag & KIND_BITS;
    records.push({ client, sequence, kind, revision, firstKey, lastKey, keyHashes, details });
  }
  return { logTimeMs, baseRevision, clients, records };
}

class RowReader {
  readonly #row: Uint8Array;
  #offset = 0;

  constructor(row: Uint8Array) {
    this.#row = row;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#row.length;
  }

  u8(): number {
    return this.#row[this.#advance(1)] as number;
  }

  u64(): number {
    const value = readU64(this.#row, this.#advance(8));
    if (!Number.isSafeInteger(value)) {
      throw corrupt("has a number above 2^53");
    }
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) {
        throw corrupt("has a number above 2^53");
      }
      if (byte < 0x80) {
        return value;
      }
    }
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#advance(length);
    return this.#row.subarray(start, start + length);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (start + length > this.#row.length) {
      throw corrupt(`ends after ${this.#row.length} bytes, inside a field of ${length}`);
    }
    this.#offset = start + length;
    return start;
  }
}

function corrupt(problem: string): RdbError {
  return new RdbError("RDB_DATA_CORRUPT", `a stored session row ${problem}`);
}

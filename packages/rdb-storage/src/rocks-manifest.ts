import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RdbError } from "@flaredb/rdb-base";
import { LOG_BLOCK_BYTES, LogRecordReader } from "./log-record-reader.ts";

// RocksDB's manifest is a log of edits; each is a sequence of tagged fields. Only those that say which write-ahead
// logs still matter are of interest; the others are skipped, for which their shapes have to be known.

type FieldShape = readonly ("number" | "bytes")[];

const LOG_NUMBER = 2;
const MIN_LOG_NUMBER_TO_KEEP = 10;
const NEW_FILE = 103;
const COLUMN_FAMILY = 200;
const COLUMN_FAMILY_ADD = 201;
/** A tag with this bit is followed by its length, so that older programs can skip it. */
const SKIPPABLE_BIT = 1 << 13;
const MANIFEST_NAME = /^MANIFEST-\d+$/;
/** Ends the optional fields of a new file. */
const TERMINATE = 1;

const shapes: ReadonlyMap<number, FieldShape> = new Map<number, FieldShape>([
  [1, ["bytes"]],
  [LOG_NUMBER, ["number"]],
  [3, ["number"]],
  [4, ["number"]],
  [5, ["number", "bytes"]],
  [6, ["number", "number"]],
  [9, ["number"]],
  [MIN_LOG_NUMBER_TO_KEEP, ["number"]],
  [NEW_FILE, ["number", "number", "number", "bytes", "bytes", "number", "number"]],
  [COLUMN_FAMILY, ["number"]],
  [COLUMN_FAMILY_ADD, ["bytes"]],
  [202, []],
  [203, ["number"]],
  [300, ["number"]],
]);

/**
 * The number of the first write-ahead log that a recovery reads: what older ones hold is in table files, and they are
 * only still there because their removal was interrupted.
 *
 * @throws RdbError RDB_DATA_CORRUPT when the manifest cannot be understood
 */
export async function firstLiveLog(databasePath: string): Promise<number> {
  const { name, content } = await readManifest(databasePath);
  let minToKeep = 0;
  const logNumbers = new Map<number, number>();
  const reader = new LogRecordReader({
    record: (edit) => {
      const fields = parseEdit(edit, name);
      minToKeep = Math.max(minToKeep, fields.minLogNumberToKeep ?? 0);
      const known = logNumbers.get(fields.columnFamily) ?? 0;
      logNumbers.set(fields.columnFamily, Math.max(known, fields.logNumber ?? 0));
    },
    // Its tail may be torn; whether the rest is whole, RocksDB checks itself when it opens.
    damage: () => {},
    isPlausible: () => false,
  });
  for (let offset = 0; offset < content.length; offset += LOG_BLOCK_BYTES) {
    reader.block(content.subarray(offset, offset + LOG_BLOCK_BYTES));
  }
  reader.end();
  return Math.max(minToKeep, Math.min(...logNumbers.values()));
}

async function readManifest(databasePath: string): Promise<{ name: string; content: Buffer }> {
  const name = (await readFile(join(databasePath, "CURRENT"), "utf8")).trim();
  if (!MANIFEST_NAME.test(name)) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `the database's file CURRENT names "${name}", which is no manifest`,
    );
  }
  try {
    return { name, content: await readFile(join(databasePath, name)) };
  } catch (cause) {
    throw new RdbError("RDB_DATA_CORRUPT", `the database's ${name} cannot be read: ${String(cause)}`, {
      cause,
    });
  }
}

interface EditFields {
  columnFamily: number;
  logNumber: number | undefined;
  minLogNumberToKeep: number | undefined;
}

function parseEdit(edit: Uint8Array, name: string): EditFields {
  const fields: EditFields = { columnFamily: 0, logNumber: undefined, minLogNumberToKeep: undefined };
  const reader = new VarintReader(edit, name);
  while (!reader.isAtEnd) {
    const tag = reader.number();
    if ((tag & SKIPPABLE_BIT) !== 0) {
      reader.skipBytes();
      continue;
    }
    const shape = shapes.get(tag) ?? reader.fail(`an edit has the unknown tag ${tag}`);
    const [first] = shape.map((kind) => (kind === "number" ? reader.number() : reader.skipBytes()));
    if (tag === NEW_FILE) {
      skipOptionalFields(reader);
    } else if (tag === COLUMN_FAMILY) {
      fields.columnFamily = first ?? 0;
    } else if (tag === LOG_NUMBER) {
      fields.logNumber = first;
    } else if (tag === MIN_LOG_NUMBER_TO_KEEP) {
      fields.minLogNumberToKeep = first;
    }
  }
  return fields;
}

function skipOptionalFields(reader: VarintReader): void {
  while (reader.number() !== TERMINATE) {
    reader.skipBytes();
  }
}

/** Numbers of seven bits a byte, the lowest first; byte strings with their length before them. */
class VarintReader {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  #offset = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Exact up to 2^53; sequence numbers and file numbers stay far below. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#offset++] ?? this.fail("an edit ends inside a number");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
    }
  }

  /** @returns the length skipped */
  skipBytes(): number {
    const length = this.number();
    this.#offset += length;
    return this.#offset > this.#bytes.length ? this.fail("an edit ends inside a field") : length;
  }

  fail(problem: string): never {
    throw new RdbError("RDB_DATA_CORRUPT", `the database's ${this.#name} cannot be read: ${problem}`);
  }
}

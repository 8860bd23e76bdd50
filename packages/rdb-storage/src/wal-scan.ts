import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { RdbError } from "@flaredb/rdb-base";
import type { DataFolder } from "./data-folder.ts";
import { logNumber } from "./log-file-name.ts";
import { LOG_BLOCK_BYTES, LogRecordReader } from "./log-record-reader.ts";
import { firstLiveLog } from "./rocks-manifest.ts";

// A record of a write-ahead log is a batch: sequence number of its first mutation (u64), count of mutations (u32),
// both little endian, then the mutations. Each mutation takes one sequence number and no number is left out, so that
// a gap between two whole batches is a batch that was written before the second one and is lost.
const BATCH_HEADER_BYTES = 12;
/** Sequence numbers this far ahead are not of this log, but of something that a value happens to hold. */
const PLAUSIBLE_AHEAD = 2 ** 32;
const READ_BYTES = 64 * LOG_BLOCK_BYTES;

interface Place {
  readonly file: string;
  readonly offset: number;
}

/**
 * Refuses a database whose write-ahead log holds a whole batch behind a lost one. RocksDB recovers up to the first
 * damage and drops what follows, and cannot be told otherwise through the binding; but what follows was written
 * later, so the damaged part had been synced, and votes or entries that this Store has acknowledged would be
 * forgotten. A torn tail is the usual end of a log after a crash, and accepted.
 *
 * Called before RocksDB opens the folder, which nobody else holds: opening rewrites the log.
 *
 * @throws RdbError RDB_DATA_CORRUPT
 */
export async function refuseLostRecords(folder: DataFolder): Promise<void> {
  const first = await firstLiveLog(folder.databasePath);
  const logs = (await readdir(folder.databasePath))
    .map((name) => ({ name, number: logNumber(name) ?? -1 }))
    .filter(({ number }) => number >= first)
    .sort((a, b) => a.number - b.number);
  const sequence = new SequenceCheck(folder);
  for (const { name } of logs) {
    const handle = await open(join(folder.databasePath, name), "r");
    try {
      await scanLog(handle, name, sequence);
    } finally {
      await handle.close();
    }
  }
}

async function scanLog(handle: FileHandle, file: string, sequence: SequenceCheck): Promise<void> {
  const reader = new LogRecordReader(
    {
      record: (data, offset) => sequence.record(data, { file, offset }),
      damage: (offset) => sequence.damage({ file, offset }),
      isPlausible: (data) => sequence.isPlausible(data),
    },
    BATCH_HEADER_BYTES,
  );
  const buffer = new Uint8Array(READ_BYTES);
  for (let position = 0; ; position += READ_BYTES) {
    const bytesRead = await readFully(handle, buffer, position);
    for (let offset = 0; offset < bytesRead; offset += LOG_BLOCK_BYTES) {
      reader.block(buffer.subarray(offset, Math.min(offset + LOG_BLOCK_BYTES, bytesRead)));
    }
    if (bytesRead < READ_BYTES) {
      reader.end();
      return;
    }
  }
}

/** Whether each batch begins with the sequence number after the last one's. */
class SequenceCheck {
  readonly #folder: DataFolder;
  /** Undefined before the first batch. */
  #next: number | undefined;
  #lastDamage: Place | undefined;

  constructor(folder: DataFolder) {
    this.#folder = folder;
  }

  damage(place: Place): void {
    this.#lastDamage ??= place;
  }

  record(data: Uint8Array, place: Place): void {
    if (data.length < BATCH_HEADER_BYTES) {
      this.damage(place);
      return;
    }
    const { first, count } = batchHeader(data);
    if (count === 0) {
      // A batch of nothing proves nothing; RocksDB writes one itself after it recovered from a torn log.
      return;
    }
    const isLost = this.#next === undefined ? this.#lastDamage !== undefined : first !== this.#next;
    if (isLost) {
      this.#refuse(place);
    }
    // Damage before this batch took nothing with it: a later start went on from there.
    this.#lastDamage = undefined;
    this.#next = first + count;
  }

  isPlausible(data: Uint8Array): boolean {
    if (data.length < BATCH_HEADER_BYTES) {
      return false;
    }
    const { first } = batchHeader(data);
    const from = this.#next ?? 0;
    return first >= from && first < from + PLAUSIBLE_AHEAD;
  }

  #refuse(found: Place): never {
    const lost = this.#lastDamage ?? found;
    const { path } = this.#folder;
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `the write-ahead log in ${path} lost records at ${describe(lost)}, before whole ones at ${describe(found)}: ` +
        "synced votes or entries may be gone, so this Store must not start with this data; " +
        "empty the folder and add the Store as a new one",
      { details: { path, file: lost.file, offset: lost.offset } },
    );
  }
}

function batchHeader(data: Uint8Array): { readonly first: number; readonly count: number } {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { first: Number(view.getBigUint64(0, true)), count: view.getUint32(8, true) };
}

function describe({ file, offset }: Place): string {
  return `${file}, byte ${offset}`;
}

/** Fills the buffer from a position on, as far as the file goes. */
async function readFully(handle: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let total = 0;
  while (total < buffer.length) {
    const { bytesRead } = await handle.read(buffer, total, buffer.length - total, position + total);
    if (bytesRead === 0) {
      break;
    }
    total += bytesRead;
  }
  return total;
}

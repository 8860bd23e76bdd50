import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@flaredb/rdb-base";
import {
  type ColumnHandle,
  type DatabaseHandle,
  type DatabaseOptions,
  rocks,
} from "../../src/rocks-binding.ts";

/** How much is written and read. */
export interface WorkloadSize {
  /** Different keys of the column `data`. */
  readonly keys: number;
  /** Synced writes; each is one entry of a Region's log and the rows that the entry before it made. */
  readonly entries: number;
  /** Puts in an entry. */
  readonly putsPerEntry: number;
  readonly reads: number;
}

/** What a run took: time is processor time of the whole process, RocksDB's threads included. */
export interface WorkloadFigures {
  readonly writeUs: number;
  /** Bytes that went to the disk for each byte of keys and values of `data`. */
  readonly writeAmplification: number;
  readonly putsPerSecond: number;
  readonly getUs: number;
  readonly missUs: number;
  readonly scanUs: number;
  readonly diskMiB: number;
  readonly openMs: number;
  readonly residentMiB: number;
}

const VALUE_BYTES = 256;
const KEY_BYTES = 16;
const GETS_PER_CALL = 64;
const SCAN_ROWS = 1_000;
/** Entries that stay in the log; what is older goes as a range, as a CompactLog has it. */
const LOG_KEPT_ENTRIES = 2_000;
const COMPACT_EVERY_ENTRIES = 500;

/** Does to a new database what a Store's writer and readers do, and takes the time. */
export async function runWorkload(
  folder: string,
  options: DatabaseOptions,
  size: WorkloadSize,
): Promise<WorkloadFigures> {
  const run = new Run(await open(folder, options), size);
  const writes = run.write();
  const gets = run.get(true);
  const misses = run.get(false);
  const scans = run.scan();
  await close(run.db);
  const begun = performance.now();
  const again = await open(folder, options);
  const openMs = performance.now() - begun;
  await close(again.db);
  return {
    ...writes,
    getUs: gets,
    missUs: misses,
    scanUs: scans,
    diskMiB: folderBytes(folder) / 2 ** 20,
    openMs,
    residentMiB: peakResidentBytes() / 2 ** 20,
  };
}

interface Opened {
  readonly db: DatabaseHandle;
  readonly columns: Readonly<Record<string, ColumnHandle>>;
}

function open(folder: string, options: DatabaseOptions): Promise<Opened> {
  const db = rocks.db_init(folder);
  return new Promise((resolve, reject) => {
    rocks.db_open(db, options, (error, columns) =>
      error === null ? resolve({ db, columns }) : reject(error),
    );
  });
}

function close(db: DatabaseHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    rocks.db_close(db, (error) => (error === null ? resolve() : reject(error)));
  });
}

class Run {
  readonly db: DatabaseHandle;
  readonly #columns: Opened["columns"];
  readonly #size: WorkloadSize;
  readonly #random = new SeededRandom(1);

  constructor({ db, columns }: Opened, size: WorkloadSize) {
    this.db = db;
    this.#columns = columns;
    this.#size = size;
  }

  write(): Pick<WorkloadFigures, "writeUs" | "writeAmplification" | "putsPerSecond"> {
    const { entries, putsPerEntry } = this.#size;
    const puts = entries * putsPerEntry;
    const bytesBefore = bytesWritten();
    const cpuBefore = process.cpuUsage();
    const begun = performance.now();
    for (let index = 1; index <= entries; index++) {
      this.#writeEntry(index);
      if (index % COMPACT_EVERY_ENTRIES === 0 && index > LOG_KEPT_ENTRIES) {
        const range = {
          gte: logKey(index - LOG_KEPT_ENTRIES - COMPACT_EVERY_ENTRIES),
          lt: logKey(index - LOG_KEPT_ENTRIES),
        };
        rocks.db_clear(this.db, { column: this.#column("raft_log"), ...range });
      }
    }
    const seconds = (performance.now() - begun) / 1_000;
    return {
      writeUs: cpuUs(cpuBefore) / puts,
      writeAmplification: (bytesWritten() - bytesBefore) / (puts * (KEY_BYTES + VALUE_BYTES)),
      putsPerSecond: puts / seconds,
    };
  }

  /** @param present whether the keys are there */
  get(present: boolean): number {
    const { reads, keys } = this.#size;
    const column = { column: this.#column("data") };
    const before = process.cpuUsage();
    let found = 0;
    for (let done = 0; done < reads; done += GETS_PER_CALL) {
      const asked = Array.from({ length: GETS_PER_CALL }, () =>
        dataKey(this.#random.nextInt(keys), present ? 0 : 1),
      );
      for (const value of rocks.db_get_many_sync(this.db, asked, column)) {
        found += value === undefined ? 0 : 1;
      }
    }
    if (!present && found > 0) {
      throw new Error(`${found} keys were found that were never written`);
    }
    return cpuUs(before) / reads;
  }

  scan(): number {
    const { keys } = this.#size;
    const scans = Math.ceil(this.#size.reads / SCAN_ROWS / 2);
    const before = process.cpuUsage();
    let rows = 0;
    for (let scan = 0; scan < scans; scan++) {
      const iterator = rocks.iterator_init(this.db, {
        ...{ column: this.#column("data"), reverse: false, keys: true, values: true, fillCache: true },
        gte: dataKey(this.#random.nextInt(keys), 0),
        ...{ highWaterMarkBytes: 2 ** 24, keyEncoding: "buffer", valueEncoding: "buffer" },
      });
      rows += rocks.iterator_nextv_sync(iterator, SCAN_ROWS).rows.length / 2;
      rocks.iterator_close(iterator);
    }
    return cpuUs(before) / rows;
  }

  /** An entry of the log with its HardState, and what the entry before it made: one batch, synced. */
  #writeEntry(index: number): void {
    const batch = rocks.batch_init();
    const { putsPerEntry, keys } = this.#size;
    const put = (column: string, key: Uint8Array, value: Uint8Array): void =>
      rocks.batch_put(batch, key, value, { column: this.#column(column) });
    put("raft_log", logKey(index), this.#bytes(putsPerEntry * (VALUE_BYTES + KEY_BYTES + 12)));
    put("raft_state", logKey(0), this.#bytes(32));
    for (let each = 0; each < putsPerEntry; each++) {
      put("data", dataKey(this.#random.nextInt(keys), 0), this.#bytes(VALUE_BYTES));
    }
    put("region", logKey(0), this.#bytes(40));
    put("session", logKey(index), this.#bytes(putsPerEntry * 14));
    rocks.batch_write(this.db, batch, { sync: true });
  }

  /** Half of it compresses, as text does. */
  #bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length / 2; at += 4) {
      const word = this.#random.nextInt(2 ** 31);
      bytes[at] = word;
      bytes[at + 1] = word >> 8;
      bytes[at + 2] = word >> 16;
      bytes[at + 3] = word >> 24;
    }
    return bytes;
  }

  #column(name: string): ColumnHandle {
    return this.#columns[name] as ColumnHandle;
  }
}

/** @param last 1 for a key that is never written, in the middle of those that are */
function dataKey(number: number, last: 0 | 1): Uint8Array {
  const key = Buffer.alloc(KEY_BYTES);
  // Spread over the key space: rows of one entry are no neighbours.
  key.writeBigUInt64BE(BigInt.asUintN(64, BigInt(number) * 0x9e3779b97f4a7c15n), 0);
  key[KEY_BYTES - 1] = last;
  return key;
}

function logKey(index: number): Uint8Array {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(1, 4);
  key.writeUInt32BE(index, 12);
  return key;
}

function cpuUs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function bytesWritten(): number {
  const line = /^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"));
  return Number(line?.[1] ?? Number.NaN);
}

function peakResidentBytes(): number {
  return process.resourceUsage().maxRSS * 1_024;
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

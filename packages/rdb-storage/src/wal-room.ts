import { closeSync, fstatSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { KiB } from "@flaredb/rdb-base";

/** Appended at a time: some 300 small writes go there, and writing it holds the next one up by no more than 50 us. */
const CHUNK_BYTES = 256 * KiB;
/** With less room than this the next chunk follows. */
const ROOM_MIN_BYTES = 64 * KiB;
/** A pass above this takes its time to be written, whatever the file system does, and room would double that. */
const SMALL_PASS_MAX_BYTES = 16 * KiB;
/** What a pass takes in the log beyond its own bytes, about. */
const PASS_OVERHEAD_BYTES = 64;
/** How often it is asked whether the log is still written to; longer than the time that files are dated by is coarse. */
const LOOK_INTERVAL_MS = 50;
/** After the file system refused, such as for want of space. */
const RETRY_MS = 10_000;
const LOG_FILE = /^(\d+)\.log$/;

const zeros = new Uint8Array(CHUNK_BYTES);

interface CurrentLog {
  readonly name: string;
  /** Every write goes to the end of the file, wherever that is by then: none can meet what RocksDB has written. */
  readonly descriptor: number;
  /** When it was changed last, by its file's own time, as of the last look or chunk. */
  changedMs: number;
}

/**
 * Keeps zeros at the end of the write-ahead log, which the next records overwrite. The sync of a file that grows has to
 * write the file's length and its new blocks as well, by way of the file system's journal; that of a file which was long
 * before writes its data alone (ADR 29).
 *
 * RocksDB goes by its own position in the file, cuts a log that it closes to what it holds, and takes zeros for room that
 * was never written, as does `refuseLostRecords`: after a crash they are just that.
 *
 * It is about speed alone. Where the file system refuses, there is no room for a while; a disk that fails is
 * RocksDB's to report.
 */
export class WalRoom {
  readonly #databasePath: string;
  readonly #now: () => number;
  #log: CurrentLog | undefined;
  /** Of the log's zeros, about: how many are left. */
  #roomBytes = 0;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  /** @param now a clock that only goes forward, in ms */
  constructor(databasePath: string, now: () => number) {
    this.#databasePath = databasePath;
    this.#now = now;
  }

  /** After a pass of so many bytes was written. Synchronous, and short: for the thread that writes. */
  written(passBytes: number): void {
    this.#roomBytes -= passBytes + PASS_OVERHEAD_BYTES;
    try {
      this.#followLog();
      if (this.#roomBytes < ROOM_MIN_BYTES && passBytes <= SMALL_PASS_MAX_BYTES && this.#log !== undefined) {
        this.#append(this.#log);
      }
    } catch {
      this.#letGo();
      this.#nextLookMs = this.#now() + RETRY_MS;
    }
  }

  close(): void {
    this.#letGo();
  }

  #append(log: CurrentLog): void {
    this.#roomBytes = Math.max(this.#roomBytes, 0) + writeSync(log.descriptor, zeros);
    log.changedMs = fstatSync(log.descriptor).mtimeMs;
  }

  /**
   * A full memtable begins a new log, of which nobody tells: the one before is not changed any more. Its file's time is
   * compared with itself alone, since the clock that gives it may be set back.
   */
  #followLog(): void {
    const nowMs = this.#now();
    if (nowMs < this.#nextLookMs) {
      return;
    }
    this.#nextLookMs = nowMs + LOOK_INTERVAL_MS;
    if (this.#log !== undefined) {
      const { mtimeMs } = fstatSync(this.#log.descriptor);
      if (mtimeMs !== this.#log.changedMs) {
        this.#log.changedMs = mtimeMs;
        return;
      }
    }
    const name = newestLog(readdirSync(this.#databasePath));
    if (name === undefined || name === this.#log?.name) {
      return;
    }
    this.#letGo();
    const descriptor = openSync(join(this.#databasePath, name), "a");
    this.#log = { name, descriptor, changedMs: Number.NaN };
    this.#roomBytes = 0;
  }

  #letGo(): void {
    const log = this.#log;
    this.#log = undefined;
    if (log !== undefined) {
      closeSync(log.descriptor);
    }
  }
}

function newestLog(names: readonly string[]): string | undefined {
  let newest: string | undefined;
  let newestNumber = -1;
  for (const name of names) {
    const number = Number(LOG_FILE.exec(name)?.[1] ?? -1);
    if (number > newestNumber) {
      newest = name;
      newestNumber = number;
    }
  }
  return newest;
}

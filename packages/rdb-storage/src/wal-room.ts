import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "@flaredb/rdb-base";
import { logNumber } from "./log-file-name.ts";
import { LOG_BLOCK_BYTES } from "./log-record-reader.ts";

/** By so much the log is made longer at a time. */
const CHUNK_BYTES = 1 * MiB;
/** With less room than this, about, the next chunk follows. */
const ROOM_MIN_BYTES = 256 * KiB;
/** How often it is asked whether the log is still written to; longer than the time that files are dated by is coarse. */
const LOOK_INTERVAL_MS = 50;
/** After the file system refused. */
const RETRY_MS = 10_000;

interface CurrentLog {
  readonly name: string;
  readonly descriptor: number;
  /** When it was changed last, by its file's own time, as of the last look or chunk. */
  changedMs: number;
}

/**
 * Keeps the write-ahead log's file longer than what is written to it. The sync of a file that grows has to write its
 * length as well, by way of the file system's journal; that of a file which was long before hardly ever has to (ADR 29).
 *
 * RocksDB goes by its own position in the file, cuts a log that it closes to what it holds, and takes the zeros that are
 * read behind the records for room that was never written, as does `refuseLostRecords`: after a crash they are just that.
 * A file is only ever made longer here, from the length that it has: by the thread that writes, so that nobody writes
 * meanwhile.
 *
 * It is about speed alone. Where the file system refuses, there is no room for a while; a disk that fails is
 * RocksDB's to report.
 */
export class WalRoom {
  readonly #databasePath: string;
  readonly #now: () => number;
  #log: CurrentLog | undefined;
  /** How much of the log's room is left, about: more may be, or none. */
  #roomBytes = 0;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  /** @param now a clock that only goes forward, in ms */
  constructor(databasePath: string, now: () => number) {
    this.#databasePath = databasePath;
    this.#now = now;
  }

  /** After a pass of so many bytes was written, in the thread that writes. Synchronous, and takes microseconds. */
  written(passBytes: number): void {
    this.#roomBytes -= passBytes;
    try {
      this.#followLog();
      if (this.#roomBytes < ROOM_MIN_BYTES && this.#log !== undefined) {
        this.#lengthen(this.#log);
      }
    } catch {
      this.close();
      this.#nextLookMs = this.#now() + RETRY_MS;
    }
  }

  close(): void {
    const log = this.#log;
    this.#log = undefined;
    if (log === undefined) {
      return;
    }
    try {
      closeSync(log.descriptor);
    } catch {
      // Some file systems report a write that failed only here; this one was of no consequence.
    }
  }

  /** To the end of a block: RocksDB takes a few bytes behind the last whole one for a header that was cut. */
  #lengthen(log: CurrentLog): void {
    const { size } = fstatSync(log.descriptor);
    const length = Math.ceil((size + CHUNK_BYTES) / LOG_BLOCK_BYTES) * LOG_BLOCK_BYTES;
    ftruncateSync(log.descriptor, length);
    this.#roomBytes = Math.max(this.#roomBytes, 0) + length - size;
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
    this.close();
    const descriptor = openSync(join(this.#databasePath, name), "r+");
    this.#log = { name, descriptor, changedMs: Number.NaN };
    this.#roomBytes = 0;
  }
}

function newestLog(names: readonly string[]): string | undefined {
  let newest: string | undefined;
  let newestNumber = -1;
  for (const name of names) {
    const number = logNumber(name);
    if (number !== undefined && number > newestNumber) {
      newest = name;
      newestNumber = number;
    }
  }
  return newest;
}

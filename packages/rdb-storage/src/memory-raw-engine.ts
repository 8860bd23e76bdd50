import { type Clock, FULL_RANGE, KiB, type KeyRange, type Random, RdbError } from "@flaredb/rdb-base";
import { type EncodedBatch, decodeBatch } from "./batch-codec.ts";
import { type Column, columnNumbers, columns } from "./column.ts";
import type { CursorOptions, Row } from "./engine.ts";
import { MemoryTable } from "./memory-table.ts";
import type { RawEngine, RawIterator, WriteOutcome } from "./raw-engine.ts";
import { keyOfText, keyText, textRange } from "./key-text.ts";
import type { WriteOp } from "./write-part.ts";

/** Bytes of values after which an answer of `getMany` ends: little, so that callers meet short ones. */
const ANSWER_MAX_BYTES = 16 * KiB;

export interface MemoryDiskOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long a write takes, and whether it is synced, in ms. Default: none, it is done with the next turn. */
  readonly writeDelayMs?: (sync: boolean) => number;
}

/** One step of the stream, as a disk holds it: all of it or nothing. */
type Mutation =
  | { readonly kind: "batch"; readonly ops: readonly WriteOp[] }
  | { readonly kind: "deleteRange"; readonly column: Column; readonly range: KeyRange };

/**
 * A database in memory that knows which part of it a crash would keep: what was synced, and a prefix of the rest.
 * It writes late, fails and crashes as told.
 */
export class MemoryRawEngine implements RawEngine {
  readonly #options: MemoryDiskOptions;
  readonly #tables: readonly MemoryTable[];
  /** What a crash keeps for sure. */
  readonly #durable: readonly MemoryTable[];
  /** Begun and not known to be durable, oldest first. */
  #unsynced: Mutation[] = [];
  readonly #damaged = new Set<string>();
  #writeDelayMs: (sync: boolean) => number;
  #failure: string | undefined;
  #crashed = false;

  constructor(
    options: MemoryDiskOptions,
    content: readonly MemoryTable[] = columns.map(() => new MemoryTable()),
  ) {
    this.#options = options;
    this.#writeDelayMs = options.writeDelayMs ?? (() => 0);
    this.#tables = content;
    this.#durable = content.map((table) => table.copy());
  }

  /** From now on writes take this long. */
  setWriteDelayMs(writeDelayMs: (sync: boolean) => number): void {
    this.#writeDelayMs = writeDelayMs;
  }

  /** From now on every write fails with this reason, as on a full or broken disk. */
  failWrites(reason: string): void {
    this.#failure = reason;
  }

  /** From now on every read that meets this row fails, as with a damaged block. */
  damage(column: Column, key: Uint8Array): void {
    this.#damaged.add(`${column} ${keyText(key)}`);
  }

  /**
   * What is found after a crash: everything synced, and of what was begun since, a prefix of random length. This
   * one is dead from now on: what is under way never ends.
   */
  crash(): MemoryRawEngine {
    this.#crashed = true;
    const found = this.#durable.map((table) => table.copy());
    const keep = this.#options.random.nextInt(this.#unsynced.length + 1);
    for (const mutation of this.#unsynced.slice(0, keep)) {
      apply(found, mutation);
    }
    return new MemoryRawEngine({ ...this.#options, writeDelayMs: this.#writeDelayMs }, found);
  }

  get(column: Column, key: Uint8Array): Uint8Array | undefined {
    this.#checkDamage(column, key);
    return this.#tables[columnNumbers[column]]?.get(keyText(key));
  }

  /** Everything that readers see now, by key: for who looks at a disk from outside. */
  rows(column: Column): Row[] {
    const table = this.#tables[columnNumbers[column]] as MemoryTable;
    return table.rowsIn(textRange(FULL_RANGE)).map(([key, value]) => ({ key: keyOfText(key), value }));
  }

  async getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    await this.#turn();
    const values: (Uint8Array | undefined)[] = [];
    let bytes = 0;
    for (const key of keys) {
      if (bytes > ANSWER_MAX_BYTES) {
        break;
      }
      const value = this.get(column, key);
      values.push(value);
      bytes += value?.length ?? 0;
    }
    return values;
  }

  openIterator(column: Column, range: KeyRange, options: CursorOptions): RawIterator {
    const table = this.#tables[columnNumbers[column]] as MemoryTable;
    const rows = table.rowsIn(textRange(range));
    if (options.reverse === true) {
      rows.reverse();
    }
    let position = 0;
    return {
      next: async (maxCount) => {
        await this.#turn();
        const page: Row[] = [];
        for (const [text, value] of rows.slice(position, position + maxCount)) {
          const key = keyOfText(text);
          this.#checkDamage(column, key);
          page.push({ key, value: options.keysOnly === true ? new Uint8Array(0) : value });
        }
        position += page.length;
        return { rows: page, done: position === rows.length };
      },
      close: () => {},
    };
  }

  write(batch: EncodedBatch, sync: boolean, done: (outcome: WriteOutcome) => void): void {
    // Copied, as the buffer is used again.
    const ops = [...decodeBatch(batch)].map(({ column, key, value }) => ({
      column,
      key: key.slice(),
      value: value?.slice(),
    }));
    this.#begin({ kind: "batch", ops }, sync, (outcome) => done({ ...outcome, buffer: batch.buffer }));
  }

  deleteRange(column: Column, range: KeyRange, done: (outcome: WriteOutcome) => void): void {
    this.#begin({ kind: "deleteRange", column, range }, false, done);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #begin(mutation: Mutation, sync: boolean, done: (outcome: WriteOutcome) => void): void {
    if (this.#crashed) {
      // Whoever still asks crashed with it, and must not hear an answer.
      return;
    }
    const reason = this.#failure;
    // Readers may see a write from when it begins to when it is done, as in a database of several threads.
    const isVisibleAtOnce = this.#options.random.nextInt(2) === 0;
    if (reason === undefined) {
      this.#unsynced.push(mutation);
      if (isVisibleAtOnce) {
        apply(this.#tables, mutation);
      }
    }
    this.#afterMs(this.#writeDelayMs(sync), () => {
      if (this.#crashed) {
        return;
      }
      if (reason !== undefined) {
        done({ error: new RdbError("RDB_STORAGE_FAILED", `a write to the database failed: ${reason}`) });
        return;
      }
      if (!isVisibleAtOnce) {
        apply(this.#tables, mutation);
      }
      if (sync) {
        this.#unsynced.forEach((unsynced) => apply(this.#durable, unsynced));
        this.#unsynced = [];
      }
      done({ error: undefined });
    });
  }

  #afterMs(delayMs: number, callback: () => void): void {
    if (delayMs <= 0) {
      this.#options.clock.setImmediate(callback);
    } else {
      this.#options.clock.setTimer(delayMs, callback);
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setImmediate(resolve));
  }

  #checkDamage(column: Column, key: Uint8Array): void {
    if (this.#damaged.size > 0 && this.#damaged.has(`${column} ${keyText(key)}`)) {
      throw new RdbError("RDB_DATA_CORRUPT", `a read found damaged data in column ${column}`);
    }
  }
}

function apply(tables: readonly MemoryTable[], mutation: Mutation): void {
  if (mutation.kind === "deleteRange") {
    tables[columnNumbers[mutation.column]]?.deleteIn(textRange(mutation.range));
    return;
  }
  for (const { column, key, value } of mutation.ops) {
    tables[columnNumbers[column]]?.set(keyText(key), value);
  }
}

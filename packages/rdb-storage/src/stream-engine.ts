import { type Clock, type KeyRange, type RdbError, assert } from "@flaredb/rdb-base";
import type { Column } from "./column.ts";
import type { Cursor, CursorOptions, Engine } from "./engine.ts";
import { type KeyText, keyText } from "./key-text.ts";
import type { RawEngine, WriteOutcome } from "./raw-engine.ts";
import { RowCache } from "./row-cache.ts";
import { StreamCursor } from "./stream-cursor.ts";
import { BatchStep, DELETED, DeleteRangeStep, type Step, overlayOf } from "./unwritten.ts";
import { WritePart } from "./write-part.ts";

/** Default of {@link StreamEngineOptions.passMaxBytes}. */
const DEFAULT_PASS_MAX_BYTES = 4 * 1024 * 1024;
/** Default of {@link StreamEngineOptions.rowCacheBytes}. */
const DEFAULT_ROW_CACHE_BYTES = 64 * 1024 * 1024;
/** Buffers kept for the next passes. */
const SPARE_BUFFERS_MAX_COUNT = 2;
/** A buffer that grew beyond this is not kept. */
const SPARE_BUFFER_MAX_BYTES = 1024 * 1024;

export interface StreamEngineOptions {
  readonly clock: Clock;
  /**
   * Called once, when a write or sync failed. Nothing is acknowledged any more and nothing is tried again: what
   * reached the disk is not known. In production the process ends.
   */
  readonly onFatal: (error: RdbError) => void;
  /** A pass takes no further part once it holds this much. Default 4 MiB. */
  readonly passMaxBytes?: number;
  /**
   * Memory for rows of `data` that were read lately, so that the next read of one needs no other thread; below 256 KiB:
   * none. Default 64 MiB.
   */
  readonly rowCacheBytes?: number;
  /** Hears of each pass that was written. Default: nobody does. */
  readonly onPass?: ((pass: WrittenPass) => void) | undefined;
}

/** One pass of the writer. */
export interface WrittenPass {
  /** As the loop saw it, from handing it over to hearing of its end. */
  readonly tookMs: number;
  /** Of the synced write alone, where that is known; undefined: it was not synced, or it is not known. */
  readonly syncMs: number | undefined;
  /** Parts that shared it. */
  readonly partCount: number;
  readonly sizeBytes: number;
}

type State = "open" | "closing" | "closed" | "failed";

/**
 * The ordered write stream of a Store over a raw engine (DESIGN §3): one pass is under way at a time and takes
 * everything that gathered during the one before.
 *
 * Invariant: the raw engine together with `#steps`, oldest first, is exactly what was submitted, whether or not the
 * raw engine has already taken up the oldest step: to take a step up twice changes nothing.
 */
export class StreamEngine implements Engine {
  readonly #raw: RawEngine;
  readonly #clock: Clock;
  readonly #onFatal: (error: RdbError) => void;
  readonly #passMaxBytes: number;
  /** Of the column `data`. */
  readonly #rows: RowCache;
  readonly #onPass: ((pass: WrittenPass) => void) | undefined;
  /** Not known to be written, oldest first. While `#inFlight`, the first one is with the raw engine. */
  readonly #steps: Step[] = [];
  readonly #spareBuffers: Uint8Array<ArrayBuffer>[] = [];
  readonly #cursors = new Set<Cursor>();
  readonly #flushes = new Set<(error: RdbError) => void>();
  #unwrittenBytes = 0;
  #inFlight = false;
  #passStartedMs = 0;
  #scheduled = false;
  /** Whether something was written since the last sync. */
  #unsynced = false;
  #state: State = "open";
  #failure: RdbError | undefined;
  #closing: Promise<void> | undefined;

  constructor(raw: RawEngine, options: StreamEngineOptions) {
    this.#raw = raw;
    this.#clock = options.clock;
    this.#onFatal = options.onFatal;
    this.#passMaxBytes = options.passMaxBytes ?? DEFAULT_PASS_MAX_BYTES;
    this.#rows = new RowCache(options.rowCacheBytes ?? DEFAULT_ROW_CACHE_BYTES);
    this.#onPass = options.onPass;
    assert(this.#passMaxBytes >= 1, "passMaxBytes is at least 1");
  }

  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  passAgeMs(): number {
    return this.#inFlight ? this.#clock.monotonicMs() - this.#passStartedMs : 0;
  }

  get(column: Column, key: Uint8Array): Uint8Array | undefined {
    this.#assertReadable();
    const inMemory = this.#needsNoLook(column) ? undefined : this.#findInMemory(column, keyText(key));
    if (inMemory !== undefined) {
      return inMemory === DELETED ? undefined : inMemory;
    }
    return this.#raw.get(column, key);
  }

  async getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertReadable();
    const texts = keys.map(keyText);
    const values = texts.map((text) => this.#findInMemory(column, text));
    const isMissing = (_: unknown, position: number): boolean => values[position] === undefined;
    const missing = keys.filter(isMissing);
    if (missing.length > 0) {
      const found = await this.#readMissing(column, missing, texts.filter(isMissing));
      let next = 0;
      for (let i = 0; i < values.length; i++) {
        if (values[i] !== undefined) {
          continue;
        }
        if (next === found.length) {
          values.length = i;
          break;
        }
        values[i] = found[next++];
      }
    }
    return values.map((value) => (value === DELETED ? undefined : value));
  }

  openCursor(column: Column, range: KeyRange, options: CursorOptions = {}): Cursor {
    this.#assertReadable();
    const raw = this.#raw.openIterator(column, range, options);
    const cursor = new StreamCursor(raw, overlayOf(this.#steps, column, range), options, () =>
      this.#cursors.delete(cursor),
    );
    this.#cursors.add(cursor);
    return cursor;
  }

  submit(part: WritePart, onWritten?: () => void): void {
    this.#assertWritable();
    const step = this.#gatheringBatch();
    const before = step.sizeBytes;
    for (const op of part.ops) {
      step.add(op);
      if (op.column === "data" && !this.#rows.isIdle) {
        this.#rows.changed(keyText(op.key));
      }
    }
    this.#unwrittenBytes += step.sizeBytes - before;
    step.sync ||= part.sync;
    step.partCount++;
    if (onWritten !== undefined) {
      step.callbacks.push(onWritten);
    }
    this.#schedulePass();
  }

  beginPass(): void {
    this.#startPass();
  }

  deleteRange(column: Column, range: KeyRange, onWritten?: () => void): void {
    this.#assertWritable();
    if (column === "data") {
      this.#rows.clear();
    }
    const step = new DeleteRangeStep(column, range);
    if (onWritten !== undefined) {
      step.callbacks.push(onWritten);
    }
    this.#steps.push(step);
    this.#unwrittenBytes += step.sizeBytes;
    this.#schedulePass();
  }

  flush(): Promise<void> {
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    if (this.#steps.length === 0 && !this.#unsynced) {
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const marker = new WritePart();
      marker.sync = true;
      this.#flushes.add(reject);
      this.submit(marker, () => {
        this.#flushes.delete(reject);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      do {
        await this.flush();
        // Until the callbacks of what was flushed submit nothing more.
      } while (this.#steps.length > 0);
    } finally {
      if (this.#state !== "failed") {
        this.#state = "closing";
      }
      for (const cursor of [...this.#cursors]) {
        cursor.close();
      }
      await this.#raw.close();
      this.#state = "closed";
    }
  }

  /** Whether nothing of the column is in memory. */
  #needsNoLook(column: Column): boolean {
    return this.#steps.length === 0 && (column !== "data" || this.#rows.isIdle);
  }

  /** What is not written yet, or was read lately; undefined: only the database knows. */
  #findInMemory(column: Column, text: KeyText): Uint8Array | undefined {
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const value = (this.#steps[i] as Step).find(column, text);
      if (value !== undefined) {
        return value;
      }
    }
    return column === "data" ? this.#rows.get(text) : undefined;
  }

  /** @returns the values of the first keys */
  async #readMissing(
    column: Column,
    keys: readonly Uint8Array[],
    texts: readonly KeyText[],
  ): Promise<readonly (Uint8Array | undefined)[]> {
    if (column !== "data") {
      return this.#raw.getMany(column, keys);
    }
    const read = this.#rows.beginRead(texts);
    let found: readonly (Uint8Array | undefined)[] = [];
    try {
      found = await this.#raw.getMany(column, keys);
    } finally {
      this.#rows.endRead(read, found);
    }
    return found;
  }

  /** The batch that new parts go to: the newest step, unless it is under way, full or no batch. */
  #gatheringBatch(): BatchStep {
    const newest = this.#steps.at(-1);
    const isUnderWay = this.#inFlight && this.#steps.length === 1;
    if (newest?.kind === "batch" && !isUnderWay && newest.sizeBytes < this.#passMaxBytes) {
      return newest;
    }
    const step = new BatchStep(this.#spareBuffers.pop());
    this.#steps.push(step);
    return step;
  }

  #schedulePass(): void {
    if (!this.#scheduled && !this.#inFlight) {
      this.#scheduled = true;
      // Not at once: what the rest of this turn submits shares the sync.
      this.#clock.setImmediate(() => {
        this.#scheduled = false;
        this.#startPass();
      });
    }
  }

  #startPass(): void {
    const step = this.#steps[0];
    if (step === undefined || this.#inFlight || this.#state === "failed") {
      return;
    }
    this.#inFlight = true;
    this.#passStartedMs = this.#clock.monotonicMs();
    const done = (outcome: WriteOutcome): void => this.#finishPass(step, outcome);
    if (step.kind === "batch") {
      this.#raw.write(step.batch.take(), step.sync, done);
    } else {
      this.#raw.deleteRange(step.column, step.range, done);
    }
  }

  #finishPass(step: Step, outcome: WriteOutcome): void {
    if (this.#state === "failed") {
      return;
    }
    if (outcome.error !== undefined) {
      this.#fail(outcome.error);
      return;
    }
    assert(this.#steps[0] === step, "passes end in order");
    this.#steps.shift();
    this.#unwrittenBytes -= step.sizeBytes;
    this.#unsynced = step.kind === "deleteRange" || !step.sync;
    this.#keepBuffer(outcome.buffer);
    const tookMs = this.passAgeMs();
    // The next pass first: the disk need not wait for what the callbacks do.
    this.#inFlight = false;
    this.#startPass();
    this.#onPass?.({
      tookMs,
      syncMs: step.kind === "batch" && step.sync ? outcome.writeMs : undefined,
      partCount: step.partCount,
      sizeBytes: step.sizeBytes,
    });
    for (const callback of step.callbacks) {
      callback();
    }
  }

  #keepBuffer(buffer: Uint8Array<ArrayBuffer> | undefined): void {
    const isWorthKeeping = buffer !== undefined && buffer.length <= SPARE_BUFFER_MAX_BYTES;
    if (isWorthKeeping && this.#spareBuffers.length < SPARE_BUFFERS_MAX_COUNT) {
      this.#spareBuffers.push(buffer);
    }
  }

  #fail(error: RdbError): void {
    this.#state = "failed";
    this.#failure = error;
    const flushes = [...this.#flushes];
    this.#flushes.clear();
    for (const reject of flushes) {
      reject(error);
    }
    this.#onFatal(error);
  }

  #assertReadable(): void {
    assert(this.#state !== "closing" && this.#state !== "closed", "an engine that closes is not read");
  }

  #assertWritable(): void {
    assert(this.#state !== "closing" && this.#state !== "closed", "an engine that closes is not written to");
  }
}

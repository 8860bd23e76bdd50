import { type Clock, type Random, assert } from "@flaredb/rdb-base";
import { MemorySnapshotFiles, type SimClock, type ProcessClock } from "@flaredb/rdb-server/testing";
import type { DiskUsage, SnapshotFiles } from "@flaredb/rdb-server";
import { type EncodedBatch, MemoryRawEngine, type RawEngine, type WriteOutcome } from "@flaredb/rdb-storage";

/** What is told of a disk's writes, for the trace. */
export type DiskEvent = "write" | "written" | "failed";

export interface SimDiskOptions {
  readonly clock: SimClock;
  readonly random: Random;
  /** How long a synced write takes when nothing is wrong, from and to, in ms. Unsynced ones take no time. */
  readonly syncMs: readonly [number, number];
  readonly onEvent: (event: DiskEvent, writeCount: number, sizeBytes: number, isSynced: boolean) => void;
}

/** A crash that waits for a write. */
interface CrashPoint {
  /** Writes are counted from the next deletion of a range on, and that is not yet. */
  waitsForDeletion: boolean;
  remaining: number;
  readonly moment: "torn" | "durable";
  readonly crash: () => void;
}

/** What the disk says it can hold. */
const CAPACITY_BYTES = 2 ** 40;

/**
 * The disk of one machine: it stays while processes come and go. A crash of its process loses what was not synced.
 */
export class SimDisk {
  readonly #options: SimDiskOptions;
  #raw: MemoryRawEngine;
  #snapshots: MemorySnapshotFiles;
  /** The process that uses it now. */
  #process: ProcessClock | undefined;
  #crashPoint: CrashPoint | undefined;
  #writeCount = 0;
  #isFull = false;
  /** Of each reason why it is slow. */
  readonly #slownessMs = new Set<{ readonly writeMs: number }>();

  constructor(options: SimDiskOptions) {
    this.#options = options;
    [this.#raw, this.#snapshots] = this.#empty();
  }

  /** A new one takes its place, with nothing on it. The process that used it is gone. */
  replace(): void {
    this.crash();
    this.#crashPoint = undefined;
    [this.#raw, this.#snapshots] = this.#empty();
  }

  /** What is on it now, for who looks from outside. */
  get content(): MemoryRawEngine {
    return this.#raw;
  }

  /** A process begins to use it. */
  open(process: ProcessClock): RawEngine {
    this.#process = process;
    const raw = this.#raw;
    return {
      get: (column, key) => raw.get(column, key),
      getMany: (column, keys) => raw.getMany(column, keys),
      openIterator: (column, range, options) => raw.openIterator(column, range, options),
      write: (batch, sync, done) => this.#write(raw, process, batch, sync, done),
      deleteRange: (column, range, done) => {
        if (this.#crashPoint !== undefined) {
          this.#crashPoint.waitsForDeletion = false;
        }
        const observed = this.#observe(process, 0, false, done);
        raw.deleteRange(column, range, observed);
        this.#crashTorn(process);
      },
      close: () => raw.close(),
    };
  }

  openSnapshots(inUse: ReadonlySet<string>): SnapshotFiles {
    this.#snapshots.retain((id) => inUse.has(id));
    return this.#snapshots;
  }

  get freeBytes(): number {
    return this.#isFull ? 0 : CAPACITY_BYTES;
  }

  usage(): DiskUsage {
    const availableBytes = this.freeBytes;
    return { capacityBytes: CAPACITY_BYTES, availableBytes, usedBytes: CAPACITY_BYTES - availableBytes };
  }

  /** The process is gone. What it had not synced may be lost. */
  crash(): void {
    this.#process = undefined;
    if (this.#crashPoint?.waitsForDeletion === false) {
      this.#crashPoint = undefined;
    }
    this.#raw = this.#raw.crash();
    this.#snapshots = this.#snapshots.crash();
  }

  /** From now on the file system has no room left; or has again. Writes still succeed. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
  }

  /** From now on every write fails, until the process is gone. */
  break(reason: string): void {
    this.#raw.failWrites(reason);
  }

  /** Writes take at least this long. @returns ends that */
  slow(writeMs: number): () => void {
    const slowness = { writeMs };
    this.#slownessMs.add(slowness);
    return () => this.#slownessMs.delete(slowness);
  }

  /**
   * Calls `crash` at the so manieth write from now on: `torn` when the disk has begun it, `durable` when it is done and
   * the process was not told. Replaces what waited before.
   *
   * @param from `next-deletion`: counted from the next deletion of a range on, itself included: those begin the steps
   * in which a Region's rows are replaced
   */
  crashAtWrite(
    writeCount: number,
    moment: "torn" | "durable",
    crash: () => void,
    from: "now" | "next-deletion" = "now",
  ): void {
    assert(writeCount >= 1, "a crash waits for the next write at least");
    this.#crashPoint = { waitsForDeletion: from === "next-deletion", remaining: writeCount, moment, crash };
  }

  cancelCrash(): void {
    this.#crashPoint = undefined;
  }

  #write(
    raw: MemoryRawEngine,
    process: ProcessClock,
    batch: EncodedBatch,
    sync: boolean,
    done: (outcome: WriteOutcome) => void,
  ): void {
    raw.write(batch, sync, this.#observe(process, batch.length, sync, done));
    this.#crashTorn(process);
  }

  /** Counts a write that begins, and watches how it ends. */
  #observe(
    process: ProcessClock,
    sizeBytes: number,
    isSynced: boolean,
    done: (outcome: WriteOutcome) => void,
  ): (outcome: WriteOutcome) => void {
    const { onEvent } = this.#options;
    const writeCount = ++this.#writeCount;
    onEvent("write", writeCount, sizeBytes, isSynced);
    const point = this.#crashPoint;
    const isCounted = point !== undefined && !point.waitsForDeletion;
    if (isCounted) {
      point.remaining--;
    }
    const isLast = isCounted && point.remaining === 0;
    return (outcome) => {
      if (isLast && point.moment === "durable" && this.#crashPoint === point) {
        point.crash();
      }
      if (!process.isDead) {
        onEvent(outcome.error === undefined ? "written" : "failed", writeCount, sizeBytes, isSynced);
        done(outcome);
      }
    };
  }

  #crashTorn(process: ProcessClock): void {
    const point = this.#crashPoint;
    if (point !== undefined && point.moment === "torn" && point.remaining <= 0 && !process.isDead) {
      point.crash();
    }
  }

  #delayMs(sync: boolean): number {
    const slowMs = Math.max(0, ...[...this.#slownessMs].map(({ writeMs }) => writeMs));
    if (!sync) {
      return slowMs;
    }
    const [least, most] = this.#options.syncMs;
    return Math.max(slowMs, least + this.#options.random.nextFraction() * (most - least));
  }

  #empty(): [MemoryRawEngine, MemorySnapshotFiles] {
    const clock = this.#processClock();
    const { random } = this.#options;
    const writeDelayMs = (sync: boolean): number => this.#delayMs(sync);
    return [new MemoryRawEngine({ clock, random, writeDelayMs }), new MemorySnapshotFiles({ clock, random })];
  }

  /** What the disk does it does for the process that asked: stopped ones hear of it later, dead ones never. */
  #processClock(): Clock {
    const { clock } = this.#options;
    const inProcess = (callback: () => void): (() => void) => {
      const process = this.#process;
      return () => process?.run(callback);
    };
    return {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, inProcess(callback)),
      setImmediate: (callback) => clock.setImmediate(inProcess(callback)),
    };
  }
}

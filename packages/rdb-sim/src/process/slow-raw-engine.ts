import type { Clock, KeyRange } from "@flaredb/rdb-base";
import type {
  Column,
  CursorOptions,
  EncodedBatch,
  RawEngine,
  RawIterator,
  WriteOutcome,
} from "@flaredb/rdb-storage";
import type { FaultSwitch } from "./process-faults.ts";

/** A database on a disk whose syncs take longer. Reads are as fast as ever: they come from memory, mostly. */
export class SlowRawEngine implements RawEngine {
  readonly #raw: RawEngine;
  readonly #faults: FaultSwitch;
  readonly #clock: Clock;

  constructor(raw: RawEngine, faults: FaultSwitch, clock: Clock) {
    this.#raw = raw;
    this.#faults = faults;
    this.#clock = clock;
  }

  get(column: Column, key: Uint8Array): Uint8Array | undefined {
    return this.#raw.get(column, key);
  }

  getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#raw.getMany(column, keys);
  }

  openIterator(column: Column, range: KeyRange, options: CursorOptions): RawIterator {
    return this.#raw.openIterator(column, range, options);
  }

  write(batch: EncodedBatch, sync: boolean, done: (outcome: WriteOutcome) => void): void {
    const { syncDelayMs } = this.#faults.faults;
    if (!sync || syncDelayMs === 0) {
      this.#raw.write(batch, sync, done);
      return;
    }
    this.#faults.slowSyncs++;
    this.#clock.setTimer(syncDelayMs, () => this.#raw.write(batch, sync, done));
  }

  deleteRange(column: Column, range: KeyRange, done: (outcome: WriteOutcome) => void): void {
    this.#raw.deleteRange(column, range, done);
  }

  close(): Promise<void> {
    return this.#raw.close();
  }
}

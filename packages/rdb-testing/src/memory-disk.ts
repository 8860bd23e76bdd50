import { type Clock, type Random, type RdbError, systemClock } from "@flaredb/rdb-base";
import type { StoreDisk } from "@flaredb/rdb-server";
import { MemorySnapshotFiles } from "@flaredb/rdb-server/testing";
import { type Engine, MemoryEngine, MemoryRawEngine } from "@flaredb/rdb-storage";

/** What a disk in memory says it can hold. */
const CAPACITY_BYTES = 2 ** 40;

/** A disk that outlives its process, and loses in a crash what was not synced. */
export class MemoryDisk {
  readonly #random: Random;
  #database: MemoryRawEngine;
  #snapshots: MemorySnapshotFiles;

  constructor(random: Random) {
    this.#random = random;
    const ports = { clock: systemClock, random };
    this.#database = new MemoryRawEngine(ports);
    this.#snapshots = new MemorySnapshotFiles(ports);
  }

  /** The database, for one run of a process. */
  openEngine(clock: Clock, onFatal: (error: RdbError) => void): Promise<Engine> {
    return Promise.resolve(new MemoryEngine({ clock, random: this.#random, onFatal }, this.#database));
  }

  /** The disk as a Store sees it, for one run of it. */
  forStore(clock: Clock): StoreDisk {
    return {
      openEngine: (onFatal) => this.openEngine(clock, onFatal),
      openSnapshots: (inUse) => {
        this.#snapshots.retain((id) => inUse.has(id));
        return Promise.resolve(this.#snapshots);
      },
      freeBytes: () => Promise.resolve(CAPACITY_BYTES),
      usage: () =>
        Promise.resolve({
          capacityBytes: CAPACITY_BYTES,
          availableBytes: CAPACITY_BYTES,
          usedBytes: 0,
        }),
      // There is but one program here, and no older one will ever find this disk.
      noteClusterVersion: () => Promise.resolve(),
    };
  }

  /** Its process was killed: what was synced stays, and a part of the rest. */
  crash(): void {
    this.#database = this.#database.crash();
    this.#snapshots = this.#snapshots.crash();
  }
}

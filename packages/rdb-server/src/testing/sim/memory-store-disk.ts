import type { Clock, Random } from "@flaredb/rdb-base";
import { MemoryEngine, MemoryRawEngine } from "@flaredb/rdb-storage";
import type { StoreDisk } from "../../run-store.ts";
import { MemorySnapshotFiles } from "./memory-snapshot-files.ts";

export interface MemoryStoreDiskOptions {
  /** The machine's: it outlives the processes that run on it. */
  readonly clock: Clock;
  /** Draws what a crash keeps. */
  readonly random: Random;
}

/** What one Store's machine has on disk, in memory: it stays when the Store's process goes. */
export class MemoryStoreDisk {
  readonly #options: MemoryStoreDiskOptions;
  readonly database: MemoryRawEngine;
  readonly snapshotFiles: MemorySnapshotFiles;
  /** What the file system says that it has left. */
  freeBytes: number = Number.MAX_SAFE_INTEGER;

  constructor(
    options: MemoryStoreDiskOptions,
    database: MemoryRawEngine = new MemoryRawEngine(options),
    snapshotFiles: MemorySnapshotFiles = new MemorySnapshotFiles(options),
  ) {
    this.#options = options;
    this.database = database;
    this.snapshotFiles = snapshotFiles;
  }

  /** The disk as one run of a Store sees it, by its own clock and chance. */
  attach(process: { readonly clock: Clock; readonly random: Random }): StoreDisk {
    return {
      openEngine: (onFatal) => Promise.resolve(new MemoryEngine({ ...process, onFatal }, this.database)),
      openSnapshots: (inUse) => {
        this.snapshotFiles.retain((id) => inUse.has(id));
        return Promise.resolve(this.snapshotFiles);
      },
      freeBytes: () => Promise.resolve(this.freeBytes),
      usage: () =>
        Promise.resolve({
          capacityBytes: Number.MAX_SAFE_INTEGER,
          availableBytes: this.freeBytes,
          usedBytes: 0,
        }),
    };
  }

  /** What is found after a crash, such as kill -9 with power off. Whoever was attached is never answered again. */
  crash(): MemoryStoreDisk {
    const found = new MemoryStoreDisk(this.#options, this.database.crash(), this.snapshotFiles.crash());
    found.freeBytes = this.freeBytes;
    return found;
  }
}

import type { Random } from "@flaredb/rdb-base";
import { MemoryRawEngine } from "./memory-raw-engine.ts";
import { StreamEngine, type StreamEngineOptions } from "./stream-engine.ts";

export interface MemoryEngineOptions extends StreamEngineOptions {
  readonly random: Random;
  /** How long a write takes, in ms. Default: none, it is done with the next turn. */
  readonly writeDelayMs?: (sync: boolean) => number;
}

/**
 * The engine of tests and the simulator: the same stream over a database in memory, which writes late, fails and
 * crashes as its {@link MemoryEngine.disk} is told.
 */
export class MemoryEngine extends StreamEngine {
  readonly disk: MemoryRawEngine;
  readonly #options: MemoryEngineOptions;

  /** @param disk what an earlier engine left behind; by default an empty one */
  constructor(options: MemoryEngineOptions, disk: MemoryRawEngine = new MemoryRawEngine(options)) {
    super(disk, options);
    this.disk = disk;
    this.#options = options;
  }

  /**
   * The engine that is found after a crash at this moment: everything acknowledged with sync, and a prefix of
   * random length of the rest. This one never acknowledges anything again.
   */
  crash(changed: Partial<MemoryEngineOptions> = {}): MemoryEngine {
    return new MemoryEngine({ ...this.#options, ...changed }, this.disk.crash());
  }
}

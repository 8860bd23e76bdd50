import { randomFillSync } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { MiB, assert } from "@flaredb/rdb-base";
import { syncFolder } from "./data-folder.ts";

/** Default of {@link ReserveFileOptions.sizeBytes}: room for a write-ahead log to be recovered into table files. */
export const RESERVE_DEFAULT_BYTES = 64 * MiB;
const RESERVE_NAME = "reserve";
const PIECE_BYTES = MiB;

export interface ReserveFileOptions {
  /** The data folder. */
  readonly path: string;
  /** 0: no reserve. Default 64 MiB. */
  readonly sizeBytes?: number;
}

/**
 * A file that only takes up room in a data folder. On a full disk a process gives it up, has room to start and to
 * compact what was deleted, and takes it back once there is plenty (DESIGN §3).
 */
export class ReserveFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #sizeBytes: number;

  constructor(options: ReserveFileOptions) {
    this.#folder = options.path;
    this.#path = join(options.path, RESERVE_NAME);
    this.#sizeBytes = options.sizeBytes ?? RESERVE_DEFAULT_BYTES;
    assert(this.#sizeBytes >= 0, "a reserve has a size of at least 0 bytes");
  }

  /** Whether the whole reserve is there. */
  async isHeld(): Promise<boolean> {
    return this.#sizeBytes > 0 && (await this.#length()) === this.#sizeBytes;
  }

  /**
   * Takes up the room unless it is held already. Call it only with plenty of room left.
   *
   * @throws the file system's error; what was written is removed again
   */
  async hold(): Promise<void> {
    if (this.#sizeBytes === 0 || (await this.isHeld())) {
      return;
    }
    const temporary = `${this.#path}.tmp`;
    try {
      await this.#fill(temporary);
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(this.#folder);
  }

  /** Gives the room up. @returns how many bytes that frees; 0 when there was no reserve */
  async release(): Promise<number> {
    const freed = await this.#length();
    await rm(this.#path, { force: true });
    await rm(`${this.#path}.tmp`, { force: true });
    if (freed > 0) {
      await syncFolder(this.#folder);
    }
    return freed;
  }

  async #fill(path: string): Promise<void> {
    // Random, and written out: a file system that compresses or skips zeros would give no room for it.
    const piece = randomFillSync(new Uint8Array(PIECE_BYTES));
    const handle = await open(path, "w");
    try {
      for (let left = this.#sizeBytes; left > 0; left -= PIECE_BYTES) {
        await handle.writeFile(piece.subarray(0, Math.min(left, PIECE_BYTES)));
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #length(): Promise<number> {
    try {
      return (await stat(this.#path)).size;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return 0;
      }
      throw error;
    }
  }
}

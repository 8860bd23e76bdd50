import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { RdbError, type Region, assert } from "@flaredb/rdb-base";
import { type SnapshotChunk, type SnapshotRow, snapshotRowBatches } from "@flaredb/rdb-storage";
import type { IncomingSnapshot, SnapshotFiles } from "../store/ports.ts";
import { SnapshotFileReader, encodeChunkPrefix, encodeFileHeader, isSnapshotId } from "./snapshot-file.ts";

const PART_SUFFIX = ".part";
const WHOLE_SUFFIX = ".snapshot";

/** Received snapshots, one file each: `<id>.part` while it comes in, `<id>.snapshot` once it is whole and durable. */
export class SnapshotFolder implements SnapshotFiles {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Opens the folder, making it if needed, and deletes what a former start left behind.
   *
   * @param keep ids that are still needed: of Regions in the middle of an installation
   */
  static async open(path: string, keep: ReadonlySet<string>): Promise<SnapshotFolder> {
    await mkdir(path, { recursive: true });
    for (const name of await readdir(path)) {
      if (!name.endsWith(WHOLE_SUFFIX) || !keep.has(name.slice(0, -WHOLE_SUFFIX.length))) {
        await rm(join(path, name), { recursive: true, force: true });
      }
    }
    return new SnapshotFolder(path);
  }

  async has(id: string): Promise<boolean> {
    const names = await readdir(this.#path);
    return names.includes(`${id}${WHOLE_SUFFIX}`);
  }

  async receive(id: string, region: Region): Promise<IncomingFile> {
    const file = await open(this.#file(id, PART_SUFFIX), "w");
    const incoming = new IncomingFile(file, {
      part: this.#file(id, PART_SUFFIX),
      whole: this.#file(id, WHOLE_SUFFIX),
      folder: this.#path,
    });
    try {
      await incoming.begin(region);
    } catch (error) {
      await incoming.discard();
      throw error;
    }
    return incoming;
  }

  async *read(id: string, maxBytes: number): AsyncGenerator<readonly SnapshotRow[], void, undefined> {
    const path = this.#file(id, WHOLE_SUFFIX);
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (error) {
      throw new RdbError("RDB_DATA_CORRUPT", `the snapshot file ${path} cannot be opened`, { cause: error });
    }
    try {
      const reader = new SnapshotFileReader(file, path);
      const region = await reader.region();
      yield* snapshotRowBatches(reader.chunks(), region, maxBytes);
    } finally {
      await file.close();
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#file(id, WHOLE_SUFFIX), { force: true });
  }

  #file(id: string, suffix: string): string {
    assert(isSnapshotId(id), "a snapshot's id can be a file's name");
    return join(this.#path, `${id}${suffix}`);
  }
}

/** A snapshot on its way into its file. */
class IncomingFile implements IncomingSnapshot {
  readonly #file: FileHandle;
  readonly #paths: { readonly part: string; readonly whole: string; readonly folder: string };

  constructor(file: FileHandle, paths: { part: string; whole: string; folder: string }) {
    this.#file = file;
    this.#paths = paths;
  }

  async begin(region: Region): Promise<void> {
    await this.#write([encodeFileHeader(region)]);
  }

  async append(chunk: SnapshotChunk): Promise<void> {
    await this.#write([encodeChunkPrefix(chunk), chunk.data]);
  }

  async complete(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#paths.part, this.#paths.whole);
    const folder = await open(this.#paths.folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#paths.part, { force: true });
  }

  async #write(buffers: Uint8Array[]): Promise<void> {
    const totalBytes = buffers.reduce((bytes, buffer) => bytes + buffer.length, 0);
    const { bytesWritten } = await this.#file.writev(buffers);
    if (bytesWritten !== totalBytes) {
      throw new RdbError("RDB_STORAGE_FAILED", `only ${bytesWritten} of ${totalBytes} bytes were written`);
    }
  }
}

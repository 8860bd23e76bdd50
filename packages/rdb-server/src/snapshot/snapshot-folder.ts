import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { RdbError, type Region, assert } from "@flaredb/rdb-base";
import { type SnapshotChunk, type SnapshotRow, snapshotRowBatches } from "@flaredb/rdb-storage";
import type { SnapshotFiles } from "../store/ports.ts";
import { SnapshotFileReader, encodeChunkPrefix, encodeFileHeader } from "./snapshot-file.ts";

const PART_SUFFIX = ".part";
const WHOLE_SUFFIX = ".snapshot";
/** Ids become file names. */
const ID_PATTERN = /^[A-Za-z0-9_-]{1,100}$/;

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

  /** Whether the id can be a file's name. */
  static isId(id: string): boolean {
    return ID_PATTERN.test(id);
  }

  /** Whether the snapshot is here, whole. */
  async has(id: string): Promise<boolean> {
    const names = await readdir(this.#path);
    return names.includes(`${id}${WHOLE_SUFFIX}`);
  }

  /** Begins to keep a snapshot that comes in. One at a time for each id. */
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

  /** @throws RdbError RDB_DATA_CORRUPT when the file is damaged or not there */
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
    assert(SnapshotFolder.isId(id), "a snapshot's id can be a file's name");
    return join(this.#path, `${id}${suffix}`);
  }
}

/** A snapshot on its way into its file. Ends with `complete` or `discard`. */
export class IncomingFile {
  readonly #file: FileHandle;
  readonly #paths: { readonly part: string; readonly whole: string; readonly folder: string };

  /** @internal SnapshotFolder makes these */
  constructor(file: FileHandle, paths: { part: string; whole: string; folder: string }) {
    this.#file = file;
    this.#paths = paths;
  }

  /** @internal */
  async begin(region: Region): Promise<void> {
    await this.#write([encodeFileHeader(region)]);
  }

  async append(chunk: SnapshotChunk): Promise<void> {
    await this.#write([encodeChunkPrefix(chunk), chunk.data]);
  }

  /** Durable, under its name. */
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

  /** As if it had never come. */
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

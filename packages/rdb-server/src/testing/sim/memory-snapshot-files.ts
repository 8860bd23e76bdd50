import { type Clock, type Random, RdbError, type Region, assert } from "@flaredb/rdb-base";
import { type SnapshotChunk, type SnapshotRow, snapshotRowBatches } from "@flaredb/rdb-storage";
import { isSnapshotId } from "../../snapshot/snapshot-file.ts";
import type { IncomingSnapshot, SnapshotFiles } from "../../store/ports.ts";

export interface MemorySnapshotFilesOptions {
  readonly clock: Clock;
  /** Draws what a crash keeps of what was not synced. */
  readonly random: Random;
}

/** A snapshot's file. */
interface Content {
  readonly region: Region;
  readonly chunks: readonly SnapshotChunk[];
}

/** A change of the folder: a file got its name, or lost it. */
type Change =
  | { readonly kind: "name"; readonly id: string; readonly content: Content }
  | { readonly kind: "remove"; readonly id: string };

/**
 * Received snapshots of one Store, kept in memory: what `SnapshotFolder` is on a real disk. A crash loses what is
 * coming in, and a suffix of random length of the changes since the folder was last synced: as in a folder, names are
 * durable once `complete` resolved, and a removal is with the next one.
 */
export class MemorySnapshotFiles implements SnapshotFiles {
  readonly #options: MemorySnapshotFilesOptions;
  readonly #files: Map<string, Content>;
  /** What a crash keeps for sure. */
  readonly #durable: Map<string, Content>;
  /** Since the folder was last synced, oldest first. */
  #unsynced: Change[] = [];
  #crashed = false;
  /** So many reads from now on break off in the middle. */
  failingReadCount = 0;

  constructor(options: MemorySnapshotFilesOptions, files: ReadonlyMap<string, Content> = new Map()) {
    this.#options = options;
    this.#files = new Map(files);
    this.#durable = new Map(files);
  }

  /** Ids of those that are whole. */
  get ids(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Keeps a snapshot at once, and durably. */
  put(snapshotId: string, region: Region, chunks: readonly SnapshotChunk[]): void {
    this.#change({ kind: "name", id: snapshotId, content: { region, chunks } });
    this.#sync();
  }

  /** What a start does: drops what no interrupted installation needs. */
  retain(isInUse: (snapshotId: string) => boolean): void {
    for (const id of this.ids) {
      if (!isInUse(id)) {
        this.#change({ kind: "remove", id });
      }
    }
  }

  /** What is found after a crash. This one is dead from now on: what is under way never ends. */
  crash(): MemorySnapshotFiles {
    this.#crashed = true;
    const found = new Map(this.#durable);
    const keep = this.#options.random.nextInt(this.#unsynced.length + 1);
    for (const change of this.#unsynced.slice(0, keep)) {
      apply(found, change);
    }
    return new MemorySnapshotFiles(this.#options, found);
  }

  async has(snapshotId: string): Promise<boolean> {
    await this.#turn();
    return this.#files.has(snapshotId);
  }

  async receive(snapshotId: string, region: Region): Promise<IncomingSnapshot> {
    assert(isSnapshotId(snapshotId), "a snapshot's id can be a file's name");
    await this.#turn();
    const chunks: SnapshotChunk[] = [];
    return {
      append: async (chunk) => {
        // Copied, as the message that it came in may be used again.
        chunks.push({ ...chunk, data: chunk.data.slice() });
        await this.#turn();
      },
      complete: async () => {
        await this.#turn();
        this.#change({ kind: "name", id: snapshotId, content: { region, chunks } });
        await this.#turn();
        this.#sync();
      },
      discard: () => this.#turn(),
    };
  }

  async *read(snapshotId: string, maxBytes: number): AsyncGenerator<readonly SnapshotRow[], void, undefined> {
    const content = this.#files.get(snapshotId);
    if (content === undefined) {
      throw new RdbError("RDB_DATA_CORRUPT", `snapshot ${snapshotId} is not here`);
    }
    const isFailing = this.failingReadCount > 0;
    this.failingReadCount -= isFailing ? 1 : 0;
    for await (const batch of snapshotRowBatches(this.#chunks(content), content.region, maxBytes)) {
      yield batch;
      if (isFailing) {
        throw new RdbError("RDB_STORAGE_FAILED", `snapshot ${snapshotId} cannot be read`);
      }
    }
  }

  async remove(snapshotId: string): Promise<void> {
    assert(isSnapshotId(snapshotId), "a snapshot's id can be a file's name");
    await this.#turn();
    this.#change({ kind: "remove", id: snapshotId });
  }

  async *#chunks({ chunks }: Content): AsyncGenerator<SnapshotChunk, void, undefined> {
    for (const chunk of chunks) {
      await this.#turn();
      yield chunk;
    }
  }

  #change(change: Change): void {
    apply(this.#files, change);
    this.#unsynced.push(change);
  }

  #sync(): void {
    for (const change of this.#unsynced.splice(0)) {
      apply(this.#durable, change);
    }
  }

  /** The time that a disk takes; for ever after a crash, because whoever waits crashed with it. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.setImmediate(() => {
        if (!this.#crashed) {
          resolve();
        }
      });
    });
  }
}

function apply(files: Map<string, Content>, change: Change): void {
  if (change.kind === "name") {
    files.set(change.id, change.content);
  } else {
    files.delete(change.id);
  }
}

import { RdbError } from "@flaredb/rdb-base";
import type { SnapshotRow } from "@flaredb/rdb-storage";
import type { SnapshotFiles } from "../../store/ports.ts";

/** Received snapshots of one Store, kept in memory. They are durable when they are put, so crashes keep them. */
export class MemorySnapshotFiles implements SnapshotFiles {
  readonly #rows = new Map<string, readonly SnapshotRow[]>();

  /** Ids of those that are kept. */
  get ids(): readonly string[] {
    return [...this.#rows.keys()];
  }

  put(snapshotId: string, rows: readonly SnapshotRow[]): void {
    this.#rows.set(snapshotId, rows);
  }

  /** What a start does: drops what no interrupted installation needs. */
  retain(isInUse: (snapshotId: string) => boolean): void {
    for (const id of this.ids) {
      if (!isInUse(id)) {
        this.#rows.delete(id);
      }
    }
  }

  async *read(snapshotId: string, maxBytes: number): AsyncGenerator<readonly SnapshotRow[]> {
    const rows = this.#rows.get(snapshotId);
    if (rows === undefined) {
      throw new RdbError("RDB_DATA_CORRUPT", `snapshot ${snapshotId} is not here`);
    }
    let batch: SnapshotRow[] = [];
    let bytes = 0;
    for (const row of rows) {
      const rowBytes = row.key.length + row.value.length;
      if (batch.length > 0 && bytes + rowBytes > maxBytes) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(row);
      bytes += rowBytes;
    }
    if (batch.length > 0) {
      yield batch;
    }
  }

  remove(snapshotId: string): Promise<void> {
    this.#rows.delete(snapshotId);
    return Promise.resolve();
  }
}

import { MiB, RdbError } from "@flaredb/rdb-base";

const PART_BYTES = 1 * MiB;
/** Most bytes of a snapshot of PD's state: some million Regions. */
export const SNAPSHOT_MAX_BYTES = 512 * MiB;

/** A snapshot's data in parts that fit into messages; none of no data. */
export function cutSnapshot(data: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(data.length / PART_BYTES) }, (_, at) =>
    data.subarray(at * PART_BYTES, (at + 1) * PART_BYTES),
  );
}

/** Gathers the parts that come before a snapshot's message, on one stream. */
export class SnapshotParts {
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  /** @throws RdbError RDB_INVALID_ARGUMENT past `SNAPSHOT_MAX_BYTES` */
  add(part: Uint8Array): void {
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > SNAPSHOT_MAX_BYTES) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `a snapshot is longer than ${SNAPSHOT_MAX_BYTES} bytes`);
    }
    this.#parts.push(part);
  }

  /** All of them in one, and none after. */
  take(): Uint8Array {
    const data = new Uint8Array(this.#sizeBytes);
    let at = 0;
    for (const part of this.#parts) {
      data.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#sizeBytes = 0;
    return data;
  }
}

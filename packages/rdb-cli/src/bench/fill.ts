import { type Random, limits } from "@flaredb/rdb-base";
import { KeySpace } from "./key-space.ts";
import type { BenchClient } from "./operations.ts";
import type { BenchOptions } from "./options.ts";

const BATCH_MAX_COUNT = 500;
const BATCH_MAX_BYTES = 1024 * 1024;
/** Batches that are open at a time. */
const WRITER_COUNT = 8;

/** How the filling gets on. */
export interface FillProgress {
  /** Keys that are written, of `keys`. */
  onWritten(writtenCount: number): void;
  /** Asked before each batch. */
  isStopped(): boolean;
}

/** Writes every key of the key space, in batches. */
export async function fill(
  client: Pick<BenchClient, "batchPut">,
  options: BenchOptions,
  random: Random,
  progress: FillProgress,
): Promise<void> {
  const space = new KeySpace(options, random);
  const rowBytes = options.keySizeBytes + options.valueSizeBytes;
  const batchCount = Math.max(
    1,
    Math.min(BATCH_MAX_COUNT, limits.batchMaxCount, Math.floor(BATCH_MAX_BYTES / rowBytes)),
  );
  let nextId = 0;
  let writtenCount = 0;
  const writer = async (): Promise<void> => {
    while (nextId < options.keys && !progress.isStopped()) {
      const firstId = nextId;
      nextId = Math.min(options.keys, firstId + batchCount);
      const rows = Array.from({ length: nextId - firstId }, (_, at) => ({
        key: space.key(firstId + at),
        value: space.nextValue(),
      }));
      await client.batchPut(rows);
      writtenCount += rows.length;
      progress.onWritten(writtenCount);
    }
  };
  await Promise.all(Array.from({ length: WRITER_COUNT }, writer));
}

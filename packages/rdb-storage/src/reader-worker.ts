import { parentPort, workerData } from "node:worker_threads";
import { KiB, MiB, assert } from "@flaredb/rdb-base";
import type { Column } from "./column.ts";
import {
  PackedBytes,
  type ReadFailure,
  type ReaderAnswer,
  type ReaderRequest,
  packBytes,
} from "./reader-protocol.ts";
import { type ColumnHandle, attach, isCorruption, rocks } from "./rocks-binding.ts";
import type { SharedDatabase } from "./writer-protocol.ts";

// The thread that reads rows which may have to come from the disk. The binding's own asynchronous read cannot be
// used: a checksum that does not fit ends the process there instead of reaching the caller.

/** Bytes of values after which an answer ends. */
const ANSWER_MAX_BYTES = 32 * MiB;
/** Keys that are read at once while it is not known how large their values are: fewer after large ones. */
const FIRST_STEP_MAX_COUNT = 256;
const FIRST_STEP_MAX_COUNT_AFTER_LARGE = 8;
const LARGE_VALUE_BYTES = 64 * KiB;

assert(parentPort !== null, "the reader runs as a worker");
const port = parentPort;
const { db, columns: handles } = attach((workerData as SharedDatabase).handle);

/** In the last answer, on average. */
let lastHadLargeValues = false;

port.on("message", (request: ReaderRequest | "stop") => {
  if (request === "stop") {
    port.close();
    return;
  }
  const message = answer(request);
  port.postMessage(message, [message.values.buffer]);
});

function answer(request: ReaderRequest): ReaderAnswer {
  const keys = new PackedBytes(request.keys);
  const found = new FoundValues();
  const outcomes = request.lookups.map(({ column, keyCount }) =>
    lookUp(column, keys.take(keyCount) as Uint8Array[], found),
  );
  return { outcomes, values: packBytes(found.values) };
}

/** Reads what the answer has room for; a lookup that fails leaves none of its values there. */
function lookUp(column: Column, keys: readonly Uint8Array[], found: FoundValues): number | ReadFailure {
  const before = found.values.length;
  try {
    for (let at = 0; at < keys.length; ) {
      const step = keys.slice(at, at + found.room);
      if (step.length === 0) {
        return at;
      }
      found.add(rocks.db_get_many_sync(db, step, { column: handles[column] as ColumnHandle }));
      at += step.length;
    }
    return keys.length;
  } catch (error) {
    found.values.length = before;
    return {
      isCorruption: isCorruption(error),
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

/** What one answer holds: values have up to 8 MiB, and nobody knows before they are read. */
class FoundValues {
  readonly values: (Uint8Array | undefined)[] = [];
  #count = 0;
  #bytes = 0;

  /** How many keys may be read next, if their values are as large as those so far: none when the answer is full. */
  get room(): number {
    if (this.#count === 0) {
      return lastHadLargeValues ? FIRST_STEP_MAX_COUNT_AFTER_LARGE : FIRST_STEP_MAX_COUNT;
    }
    const left = ANSWER_MAX_BYTES - this.#bytes;
    return left <= 0 ? 0 : Math.max(1, Math.floor(left / (this.#bytes / this.#count + 1)));
  }

  add(values: readonly (Uint8Array | undefined)[]): void {
    for (const value of values) {
      this.values.push(value);
      this.#bytes += value?.length ?? 0;
    }
    this.#count += values.length;
    lastHadLargeValues = this.#bytes > this.#count * LARGE_VALUE_BYTES;
  }
}

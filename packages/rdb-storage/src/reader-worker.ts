import { parentPort, workerData } from "node:worker_threads";
import { assert } from "@flaredb/rdb-base";
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

assert(parentPort !== null, "the reader runs as a worker");
const port = parentPort;
const { db, columns: handles } = attach((workerData as SharedDatabase).handle);

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
  const failures: (ReadFailure | undefined)[] = [];
  const values: (Uint8Array | undefined)[] = [];
  for (const { column, keyCount } of request.lookups) {
    const found = lookUp(column, keys.take(keyCount) as Uint8Array[]);
    if (Array.isArray(found)) {
      failures.push(undefined);
      values.push(...found);
    } else {
      failures.push(found);
    }
  }
  return { failures, values: packBytes(values) };
}

function lookUp(column: Column, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] | ReadFailure {
  try {
    return rocks.db_get_many_sync(db, keys, { column: handles[column] as ColumnHandle });
  } catch (error) {
    return {
      isCorruption: isCorruption(error),
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

import { parentPort, workerData } from "node:worker_threads";
import { assert, assertNever } from "@flaredb/rdb-base";
import { type EncodedBatch, decodeBatch } from "./batch-codec.ts";
import { type Column, columns } from "./column.ts";
import { type BatchHandle, type ColumnHandle, attach, rocks } from "./rocks-binding.ts";
import type { SharedDatabase, WriterAnswer, WriterRequest } from "./writer-protocol.ts";

// The thread that writes: here an fsync blocks nobody's loop (DESIGN §3).

/** A native batch keeps the room of its largest content: one that held more is thrown away. */
const KEPT_BATCH_MAX_BYTES = 1024 * 1024;

assert(parentPort !== null, "the writer runs as a worker");
const port = parentPort;
const { db, columns: handles } = attach((workerData as SharedDatabase).handle);
const columnOptions = Object.fromEntries(
  columns.map((column) => [column, { column: handles[column] as ColumnHandle }]),
) as Readonly<Record<Column, { readonly column: ColumnHandle }>>;
let nativeBatch: BatchHandle = rocks.batch_init();

port.on("message", (request: WriterRequest) => {
  switch (request.kind) {
    case "write": {
      const startedMs = performance.now();
      answer(
        attempt(() => write(request.batch, request.sync)),
        request.batch.buffer,
        performance.now() - startedMs,
      );
      break;
    }
    case "deleteRange": {
      answer(
        attempt(() => deleteRange(request)),
        undefined,
      );
      break;
    }
    case "stop": {
      port.close();
      break;
    }
    default:
      assertNever(request, "writer request");
  }
});

function write(batch: EncodedBatch, sync: boolean): void {
  for (const { column, key, value } of decodeBatch(batch)) {
    if (value === undefined) {
      rocks.batch_del(nativeBatch, key, columnOptions[column]);
    } else {
      rocks.batch_put(nativeBatch, key, value, columnOptions[column]);
    }
  }
  rocks.batch_write(db, nativeBatch, { sync });
  if (batch.length > KEPT_BATCH_MAX_BYTES) {
    nativeBatch = rocks.batch_init();
  } else {
    rocks.batch_clear(nativeBatch);
  }
}

function deleteRange(request: WriterRequest & { kind: "deleteRange" }): void {
  const { column } = columnOptions[request.column];
  const { start, end } = request;
  rocks.db_clear(db, start.length === 0 ? { column, lt: end } : { column, gte: start, lt: end });
}

/** The message of what `work` threw, or undefined. */
function attempt(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function answer(
  failure: string | undefined,
  buffer: Uint8Array<ArrayBuffer> | undefined,
  writeMs?: number,
): void {
  const message: WriterAnswer = { failure, buffer, writeMs };
  port.postMessage(message, buffer === undefined ? [] : [buffer.buffer]);
}

import { setImmediate } from "node:timers/promises";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { MiB, assert, assertNever } from "@flaredb/rdb-base";
import { type EncodedBatch, decodeBatch } from "./batch-codec.ts";
import { type Column, columns } from "./column.ts";
import { type BatchHandle, type ColumnHandle, attach, rocks } from "./rocks-binding.ts";
import { WalRoom } from "./wal-room.ts";
import type { WriterAnswer, WriterRequest, WriterStart } from "./writer-protocol.ts";
import { SlotReceiver } from "./writer-slot.ts";

// The thread that writes: here an fsync blocks nobody's loop (DESIGN §3). It does not wait in a loop of its own: it sleeps
// until the slot holds a batch or tells of a message.

/**
 * A native batch keeps the room of its largest content: one that held more is thrown away. Hardly any pass does: it has 4 MiB
 * and one part at most, of which an entry of 16 MiB is among the largest. What is thrown away may lie for long, since V8
 * does not know how large it is: 2 MiB of each pass of 2 MiB, when the bound was 1 MiB.
 */
const KEPT_BATCH_MAX_BYTES = 24 * MiB;
/**
 * After so many batches of the slot the thread's event loop turns once, as it does after each message: what is due there
 * comes only then, such as to free a native batch that was thrown away.
 */
const TURN_AFTER_COUNT = 1_000;

assert(parentPort !== null, "the writer runs as a worker");
const port = parentPort;
const start = workerData as WriterStart;
const slot = new SlotReceiver(start.slot);
const room = new WalRoom(start.databasePath, () => performance.now());
const { db, columns: handles } = attach(start.handle);
const columnOptions = Object.fromEntries(
  columns.map((column) => [column, { column: handles[column] as ColumnHandle }]),
) as Readonly<Record<Column, { readonly column: ColumnHandle }>>;
let nativeBatch: BatchHandle = rocks.batch_init();
let isStopped = false;

for (let count = 1; !isStopped; count++) {
  const request = slot.next();
  if (request === "message") {
    handleMessage(nextMessage());
  } else {
    const { failure, writeMs } = timedWrite(request.batch, request.sync);
    answer(failure === undefined ? writeMs : { failure, buffer: undefined });
    // Behind the answer: only the next sync gains by it.
    room.written(request.batch.length);
  }
  if (request === "message" || count % TURN_AFTER_COUNT === 0) {
    await setImmediate();
  }
}
room.close();
port.close();

function nextMessage(): WriterRequest {
  const received = receiveMessageOnPort(port) as { readonly message: WriterRequest } | undefined;
  assert(received !== undefined, "a message is posted before the writer is woken for it");
  return received.message;
}

function handleMessage(request: WriterRequest): void {
  switch (request.kind) {
    case "write": {
      const { buffer } = request.batch;
      answer({ ...timedWrite(request.batch, request.sync), buffer }, [buffer.buffer]);
      room.written(request.batch.length);
      break;
    }
    case "deleteRange": {
      answer({ failure: attempt(() => deleteRange(request)), buffer: undefined });
      break;
    }
    case "stop": {
      isStopped = true;
      break;
    }
    default:
      assertNever(request, "writer request");
  }
}

function timedWrite(
  batch: EncodedBatch<ArrayBufferLike>,
  sync: boolean,
): { readonly failure: string | undefined; readonly writeMs: number } {
  const startedMs = performance.now();
  const failure = attempt(() => write(batch, sync));
  return { failure, writeMs: performance.now() - startedMs };
}

function write(batch: EncodedBatch<ArrayBufferLike>, sync: boolean): void {
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
  const { start: from, end } = request;
  rocks.db_clear(db, from.length === 0 ? { column, lt: end } : { column, gte: from, lt: end });
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

function answer(message: WriterAnswer, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

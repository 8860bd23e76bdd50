import { Worker } from "node:worker_threads";
import { type KeyRange, RdbError, assert, limits } from "@flaredb/rdb-base";
import type { EncodedBatch } from "./batch-codec.ts";
import type { Column } from "./column.ts";
import type { WriteOutcome } from "./raw-engine.ts";
import { stopWorker } from "./worker-stop.ts";
import { workerUrl } from "./worker-url.ts";
import type { SharedDatabase, WriterAnswer, WriterRequest } from "./writer-protocol.ts";

/** Above every key of every column: keys of `data` are the longest. */
const END_OF_KEYS = new Uint8Array(limits.keyMaxBytes + 1).fill(0xff);

/** The loop's side of the writer thread. */
export class ThreadWriter {
  readonly #worker: Worker;
  #done: ((outcome: WriteOutcome) => void) | undefined;
  #crash: Error | undefined;

  constructor(shared: SharedDatabase) {
    this.#worker = new Worker(workerUrl(import.meta.url, "writer-worker"), { workerData: shared });
    this.#worker.on("message", (answer: WriterAnswer) => this.#finish(answer));
    this.#worker.on("error", (error) => {
      this.#crash = error;
      this.#finish({ failure: `the writer thread ended: ${error.message}`, buffer: undefined });
    });
  }

  write(batch: EncodedBatch, sync: boolean, done: (outcome: WriteOutcome) => void): void {
    this.#ask({ kind: "write", batch, sync }, done, [batch.buffer.buffer]);
  }

  deleteRange(column: Column, range: KeyRange, done: (outcome: WriteOutcome) => void): void {
    const end = range.endKey.length === 0 ? END_OF_KEYS : range.endKey;
    this.#ask({ kind: "deleteRange", column, start: range.startKey, end }, done, []);
  }

  stop(): Promise<void> {
    return this.#crash === undefined ? stopWorker(this.#worker, { kind: "stop" }) : Promise.resolve();
  }

  #ask(request: WriterRequest, done: (outcome: WriteOutcome) => void, transfer: ArrayBuffer[]): void {
    assert(this.#done === undefined, "one write is under way at a time");
    this.#done = done;
    if (this.#crash !== undefined) {
      const failure = `the writer thread ended: ${this.#crash.message}`;
      setImmediate(() => this.#finish({ failure, buffer: undefined }));
      return;
    }
    this.#worker.postMessage(request, transfer);
  }

  #finish(answer: WriterAnswer): void {
    const done = this.#done;
    this.#done = undefined;
    done?.({
      error: answer.failure === undefined ? undefined : writeError(answer.failure),
      buffer: answer.buffer,
      writeMs: answer.writeMs,
    });
  }
}

function writeError(failure: string): RdbError {
  return new RdbError(
    "RDB_STORAGE_FAILED",
    `a write to the database failed and is not tried again: ${failure}; check the disk, then start again`,
  );
}

import { Worker } from "node:worker_threads";
import { type KeyRange, RdbError, assert, limits } from "@flaredb/rdb-base";
import type { EncodedBatch } from "./batch-codec.ts";
import type { Column } from "./column.ts";
import type { WriteOutcome } from "./raw-engine.ts";
import { stopWorker } from "./worker-stop.ts";
import { workerUrl } from "./worker-url.ts";
import type { SharedDatabase, WriterAnswer, WriterRequest, WriterStart } from "./writer-protocol.ts";
import { SlotSender, newWriterSlot } from "./writer-slot.ts";

/** Above every key of every column: keys of `data` are the longest. */
const END_OF_KEYS = new Uint8Array(limits.keyMaxBytes + 1).fill(0xff);

/** The loop's side of the writer thread. */
export class ThreadWriter {
  readonly #worker: Worker;
  readonly #slot: SlotSender;
  #done: ((outcome: WriteOutcome) => void) | undefined;
  /** Of a batch that was copied into the slot. */
  #copied: Uint8Array<ArrayBuffer> | undefined;
  #crash: Error | undefined;

  constructor(shared: SharedDatabase, databasePath: string) {
    const slot = newWriterSlot();
    this.#slot = new SlotSender(slot);
    const workerData: WriterStart = { ...shared, slot, databasePath };
    this.#worker = new Worker(workerUrl(import.meta.url, "writer-worker"), { workerData });
    this.#worker.on("message", (answer: WriterAnswer) => this.#answered(answer));
    this.#worker.on("error", (error) => {
      this.#crash = error;
      this.#finish({ error: writeError(crashed(error)) });
    });
  }

  write(batch: EncodedBatch, sync: boolean, done: (outcome: WriteOutcome) => void): void {
    if (!this.#begin(done)) {
      return;
    }
    if (this.#slot.fits(batch)) {
      this.#copied = batch.buffer;
      this.#slot.send(batch, sync);
    } else {
      this.#post({ kind: "write", batch, sync }, [batch.buffer.buffer]);
    }
  }

  deleteRange(column: Column, range: KeyRange, done: (outcome: WriteOutcome) => void): void {
    if (this.#begin(done)) {
      const end = range.endKey.length === 0 ? END_OF_KEYS : range.endKey;
      // Copies: a message clones all the memory that a view is of, which may be a whole entry's.
      this.#post({
        ...{ kind: "deleteRange", column },
        ...{ start: new Uint8Array(range.startKey), end: new Uint8Array(end) },
      });
    }
  }

  /** Resolves once the thread has ended: then it does not use the database any more. */
  stop(): Promise<void> {
    assert(this.#done === undefined, "the writer is stopped when nothing is under way");
    if (this.#crash !== undefined) {
      return Promise.resolve();
    }
    const request: WriterRequest = { kind: "stop" };
    const stopped = stopWorker(this.#worker, request);
    this.#slot.sendMessage();
    return stopped;
  }

  /** @returns false when the thread is gone, which `done` hears */
  #begin(done: (outcome: WriteOutcome) => void): boolean {
    assert(this.#done === undefined, "one write is under way at a time");
    this.#done = done;
    const crash = this.#crash;
    if (crash === undefined) {
      return true;
    }
    setImmediate(() => this.#finish({ error: writeError(crashed(crash)) }));
    return false;
  }

  /** In this order: the writer looks for a message once it is woken. */
  #post(request: WriterRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
    this.#slot.sendMessage();
  }

  #answered(answer: WriterAnswer): void {
    if (typeof answer === "number") {
      this.#finish({ error: undefined, buffer: this.#copied, writeMs: answer });
    } else {
      const { failure, buffer, writeMs } = answer;
      this.#finish({ error: failure === undefined ? undefined : writeError(failure), buffer, writeMs });
    }
  }

  #finish(outcome: WriteOutcome): void {
    const done = this.#done;
    this.#done = undefined;
    this.#copied = undefined;
    done?.(outcome);
  }
}

function crashed(error: Error): string {
  return `the writer thread ended: ${error.message}`;
}

function writeError(failure: string): RdbError {
  return new RdbError(
    "RDB_STORAGE_FAILED",
    `a write to the database failed and is not tried again: ${failure}; check the disk, then start again`,
  );
}

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { RdbError, assert } from "@flaredb/rdb-base";
import type { Column } from "./column.ts";
import {
  PackedBytes,
  type ReadFailure,
  type ReaderAnswer,
  type ReaderRequest,
  packBytes,
} from "./reader-protocol.ts";
import { stopWorker } from "./worker-stop.ts";
import { workerUrl } from "./worker-url.ts";
import type { SharedDatabase } from "./writer-protocol.ts";

/** Most keys sent to the reader at a time, so that its answer stays small. One lookup may have more by itself. */
const REQUEST_MAX_KEYS = 1_024;

interface Lookup {
  readonly column: Column;
  readonly keys: readonly Uint8Array[];
  readonly resolve: (values: (Uint8Array | undefined)[]) => void;
  readonly reject: (error: RdbError) => void;
}

/**
 * Point reads off the loop: what gathers while the reader thread is at work goes to it in one message. A thread that
 * ended by itself, for want of memory say, fails what it was at; the next lookup starts another one.
 */
export class ThreadReader {
  readonly #shared: SharedDatabase;
  #worker: Worker | undefined;
  readonly #waiting: Lookup[] = [];
  #underWay: Lookup[] = [];
  #onIdle: (() => void) | undefined;
  /** Of a thread that ended by itself: until then it may use the database. */
  #crashedExit: Promise<unknown> = Promise.resolve();

  constructor(shared: SharedDatabase) {
    this.#shared = shared;
  }

  /** See `Engine.getMany`: the values of the first keys, as many as one answer takes. */
  getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ column, keys, resolve, reject });
      if (this.#underWay.length === 0 && this.#waiting.length === 1) {
        // After this turn: what else it asks for shares the message.
        queueMicrotask(() => this.#start());
      }
    });
  }

  /** Ends the thread once everything asked for is answered. */
  async stop(): Promise<void> {
    if (this.#underWay.length > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#crashedExit;
    if (this.#worker !== undefined) {
      await stopWorker(this.#worker, "stop");
    }
  }

  #startWorker(): Worker {
    const worker = new Worker(workerUrl(import.meta.url, "reader-worker"), { workerData: this.#shared });
    worker.on("message", (answer: ReaderAnswer) => this.#finish(answer));
    worker.on("error", (error) => {
      this.#worker = undefined;
      this.#crashedExit = once(worker, "exit");
      this.#failUnderWay(error);
    });
    return worker;
  }

  #start(): void {
    if (this.#underWay.length > 0) {
      return;
    }
    let keyCount = 0;
    let take = 0;
    while (take < this.#waiting.length && (take === 0 || keyCount < REQUEST_MAX_KEYS)) {
      keyCount += (this.#waiting[take] as Lookup).keys.length;
      take++;
    }
    this.#underWay = this.#waiting.splice(0, take);
    if (this.#underWay.length === 0) {
      this.#onIdle?.();
      return;
    }
    const request: ReaderRequest = {
      lookups: this.#underWay.map(({ column, keys }) => ({ column, keyCount: keys.length })),
      keys: packBytes(this.#underWay.flatMap((lookup) => lookup.keys)),
    };
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(request, [request.keys.buffer]);
  }

  #finish(answer: ReaderAnswer): void {
    const lookups = this.#underWay;
    const { outcomes } = answer;
    assert(outcomes.length === lookups.length, "the reader answers each lookup");
    assert(outcomes[0] !== 0 || lookups[0]?.keys.length === 0, "the reader's answers have room for a value");
    this.#underWay = [];
    // For these there was no room.
    this.#waiting.unshift(...lookups.filter(({ keys }, place) => keys.length > 0 && outcomes[place] === 0));
    this.#start();
    const values = new PackedBytes(answer.values);
    for (const [place, lookup] of lookups.entries()) {
      const outcome = outcomes[place] as number | ReadFailure;
      if (typeof outcome !== "number") {
        lookup.reject(readFailed(outcome));
      } else if (outcome > 0 || lookup.keys.length === 0) {
        lookup.resolve(values.take(outcome));
      }
    }
  }

  #failUnderWay(cause: Error): void {
    const error = new RdbError("RDB_STORAGE_FAILED", `the reader thread ended: ${cause.message}`, { cause });
    const lookups = this.#underWay;
    this.#underWay = [];
    this.#start();
    for (const lookup of lookups) {
      lookup.reject(error);
    }
  }
}

function readFailed({ isCorruption, message }: ReadFailure): RdbError {
  return isCorruption
    ? new RdbError("RDB_DATA_CORRUPT", `a read found damaged data: ${message}`)
    : new RdbError("RDB_STORAGE_FAILED", `a read failed: ${message}`);
}

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type ErrorCode, RdbError, assertNever } from "@flaredb/rdb-base";
import { decodeResult, type FromChild, type ToChild } from "./child-messages.ts";
import type { Generator, Target } from "./generator.ts";
import { Latencies } from "./latencies.ts";
import type { LoadResult } from "./load.ts";
import type { BenchOptions } from "./options.ts";

const CHILD_MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./bench-child.ts" : "./bench-child.js", import.meta.url),
);

/** Makes the load in a process of its own, which ends with this one. */
export class RemoteGenerator implements Generator {
  readonly #options: BenchOptions;
  readonly #target: Target;
  readonly #child: ChildProcess;
  readonly #prepared = Promise.withResolvers<void>();
  readonly #result = Promise.withResolvers<LoadResult>();
  readonly #interval = new Latencies();
  /** Of what lies in `interval`. */
  #pendingMs = 0;
  #intervalMs = 0;

  constructor(options: BenchOptions, target: Target) {
    this.#options = options;
    this.#target = target;
    // In a group of its own: Ctrl-C at the terminal is for this process, which says when to stop. It ends with us all the
    // same, when the channel closes.
    this.#child = fork(CHILD_MAIN, { detached: true });
    this.#child.on("message", (message) => this.#handle(message as FromChild));
    this.#child.once("error", (cause) => this.#fail(`it cannot be started: ${cause.message}`));
    this.#child.once("exit", (code, signal) => this.#fail(`it ended with ${signal ?? code}`));
    // Whoever waits for one of them learns of a failure; the other one may have nobody.
    this.#prepared.promise.catch(() => {});
    this.#result.promise.catch(() => {});
  }

  prepare(): Promise<void> {
    this.#tell({ type: "prepare", options: this.#options, target: this.#target });
    return this.#prepared.promise;
  }

  run(): Promise<LoadResult> {
    this.#tell({ type: "run" });
    return this.#result.promise;
  }

  takeInterval(): Latencies {
    const taken = new Latencies();
    taken.add(this.#interval);
    this.#interval.reset();
    this.#intervalMs = this.#pendingMs;
    this.#pendingMs = 0;
    return taken;
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  stop(): void {
    this.#tell({ type: "stop" });
  }

  close(): void {
    if (this.#child.connected) {
      this.#child.disconnect();
    }
  }

  #tell(message: ToChild): void {
    if (this.#child.connected) {
      this.#child.send(message);
    }
  }

  #handle(message: FromChild): void {
    switch (message.type) {
      case "prepared":
        this.#prepared.resolve();
        break;
      case "interval":
        this.#interval.add(Latencies.decode(message.latencies));
        this.#pendingMs += message.durationMs;
        break;
      case "result":
        this.#result.resolve(decodeResult(message.result));
        break;
      case "failed":
        this.#reject(new RdbError(message.code as ErrorCode, message.message));
        break;
      default:
        assertNever(message, "what a process that makes load says");
    }
  }

  #fail(reason: string): void {
    this.#reject(new RdbError("RDB_INTERNAL", `a process that makes load is gone: ${reason}`));
  }

  // No effect on what is settled: a process that has said its result may go.
  #reject(error: RdbError): void {
    this.#prepared.reject(error);
    this.#result.reject(error);
  }
}

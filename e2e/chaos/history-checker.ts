import { Worker } from "node:worker_threads";
import type { Call } from "@flaredb/rdb-sim/history";

export interface CheckRequest {
  readonly round: number;
  readonly calls: readonly Call[];
}

export interface CheckAnswer {
  readonly round: number;
  /** In words. */
  readonly anomalies: readonly string[];
}

/** Checks the histories of rounds for linearizability, one after the other, beside the run. */
export class HistoryChecker {
  readonly #worker = new Worker(new URL("./check-worker.ts", import.meta.url));
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly string[]>>();
  #roundCount = 0;

  constructor() {
    this.#worker.on("message", ({ round, anomalies }: CheckAnswer) => {
      this.#waiting.get(round)?.resolve(anomalies);
      this.#waiting.delete(round);
    });
    this.#worker.on("error", (error) => {
      for (const { reject } of this.#waiting.values()) {
        reject(error);
      }
      this.#waiting.clear();
    });
  }

  /** @returns what is not linearizable, in words */
  check(calls: readonly Call[]): Promise<readonly string[]> {
    const round = ++this.#roundCount;
    const waiting = Promise.withResolvers<readonly string[]>();
    this.#waiting.set(round, waiting);
    this.#worker.postMessage({ round, calls } satisfies CheckRequest);
    return waiting.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

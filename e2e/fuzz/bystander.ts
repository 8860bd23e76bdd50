import type { RdbClient } from "@flaredb/rdb-client";

/** After so many it has seen enough. */
const FAILURE_MAX_COUNT = 5;

/** A client among attacks on others: it writes and reads one Region, one call after the other, and times each. */
export class Bystander {
  readonly #client: RdbClient;
  #isStopped = false;
  #running: Promise<void> | undefined;
  callCount = 0;
  /** The longest time that one write and its read took. */
  slowestMs = 0;
  readonly failures: string[] = [];

  constructor(client: RdbClient) {
    this.#client = client;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped && this.failures.length < FAILURE_MAX_COUNT) {
      const startedMs = performance.now();
      const value = String(this.callCount++);
      try {
        await this.#client.put("bystander", value);
        const read = (await this.#client.get("bystander"))?.text();
        if (read !== value) {
          this.failures.push(`read ${read} after ${value} was written`);
        }
      } catch (error) {
        this.failures.push(String(error));
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
    }
  }
}

import type { Clock, Random, Timer } from "@flaredb/rdb-base";
import type { RecordedClient } from "./recorded-client.ts";

/** What every workload runs on. */
export interface WorkloadOptions {
  /** Each makes one call at a time; a workload's clients are its own. */
  readonly clients: readonly RecordedClient[];
  readonly clock: Clock;
  readonly random: Random;
  /** A client rests up to this long between calls. */
  readonly pauseMaxMs: number;
  /** Whether clients begin nothing now. Default: they never rest that long. */
  readonly isAtRest?: () => boolean;
}

/** Clients that do one step after the other until they are stopped. */
export class ClientLoops {
  readonly #options: WorkloadOptions;
  readonly #running: Promise<void>[];
  readonly #pauses = new Map<Timer, () => void>();
  #isStopped = false;

  /** Starts at once. A client whose process does not run waits for it. */
  constructor(options: WorkloadOptions, step: (client: RecordedClient, place: number) => Promise<void>) {
    this.#options = options;
    this.#running = options.clients.map((client, place) => this.#run(client, () => step(client, place)));
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Lets the calls under way end, and waits for them. @throws what a step threw */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const [timer, resume] of this.#pauses) {
      timer.cancel();
      resume();
    }
    this.#pauses.clear();
    await Promise.all(this.#running);
  }

  async #run(client: RecordedClient, step: () => Promise<void>): Promise<void> {
    while (!this.#isStopped) {
      if (client.isReady && this.#options.isAtRest?.() !== true) {
        await step();
      }
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    const { clock, random, pauseMaxMs } = this.#options;
    if (this.#isStopped) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = clock.setTimer(random.nextFraction() * pauseMaxMs, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.set(timer, resolve);
    });
  }
}

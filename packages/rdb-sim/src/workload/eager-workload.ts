import type { Timer } from "@flaredb/rdb-base";
import { ClientLoops, type WorkloadOptions } from "./client-loops.ts";
import type { RecordedClient } from "./recorded-client.ts";
import type { Workload } from "./workload.ts";

/** What some clients do while it matters which of two leaders answers. */
export interface EagerTask {
  /** The only one that is read and written. */
  readonly key: string;
  /** The places of the clients that write; the others read. */
  readonly writers: ReadonlySet<number>;
}

export interface EagerWorkloadOptions extends Omit<WorkloadOptions, "pauseMaxMs"> {
  /** What to do now; undefined: nothing. */
  readonly task: () => EagerTask | undefined;
}

/** A client rests up to this long between calls. */
const PAUSE_MAX_MS = 60;
/** How often a client that has nothing to do looks whether that is still so. */
const IDLE_MS = 100;

/**
 * Clients that are idle most of the time, and in a hurry now and then: some write a key while others read it. What
 * they see is judged by the history.
 */
export class EagerWorkload implements Workload {
  readonly violations = [];
  readonly #options: EagerWorkloadOptions;
  readonly #loops: ClientLoops;
  readonly #idle = new Map<Timer, () => void>();
  #valueCount = 0;

  constructor(options: EagerWorkloadOptions) {
    this.#options = options;
    this.#loops = new ClientLoops({ ...options, pauseMaxMs: PAUSE_MAX_MS }, (client, place) =>
      this.#step(client, place),
    );
  }

  stop(): Promise<void> {
    for (const [timer, resume] of this.#idle) {
      timer.cancel();
      resume();
    }
    this.#idle.clear();
    return this.#loops.stop();
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  async #step(client: RecordedClient, place: number): Promise<void> {
    const task = this.#options.task();
    if (task === undefined) {
      await this.#rest();
    } else if (task.writers.has(place)) {
      await client.put(task.key, `${client.name}.${++this.#valueCount}`);
    } else {
      await client.get(task.key);
    }
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(IDLE_MS, () => {
        this.#idle.delete(timer);
        resolve();
      });
      this.#idle.set(timer, resolve);
    });
  }
}

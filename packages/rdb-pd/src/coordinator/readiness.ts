import type { ClusterState } from "../cluster/cluster-state.ts";
import { pdLimits } from "../limits.ts";

/**
 * Whether enough is known to plan anything: after PD's start all Stores have to report first, or two periods of their
 * heartbeat to go by (DESIGN §8). Once ready, always ready.
 */
export class Readiness {
  readonly #cluster: ClusterState;
  readonly #startedMonotonicMs: number;
  #isReady = false;

  constructor(cluster: ClusterState, startedMonotonicMs: number) {
    this.#cluster = cluster;
    this.#startedMonotonicMs = startedMonotonicMs;
  }

  isReady(monotonicMs: number): boolean {
    this.#isReady ||=
      monotonicMs - this.#startedMonotonicMs > pdLimits.reportsMaxWaitMs || this.missing().length === 0;
    return this.#isReady;
  }

  /** Stores that have not reported everything since PD's start. */
  missing(): number[] {
    return [...this.#cluster.durable.stores.values()]
      .filter((store) => !store.isTombstone && !this.#cluster.activity(store.id).isComplete)
      .map(({ id }) => id);
  }
}

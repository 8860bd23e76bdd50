import type { Logger, StoreId } from "@flaredb/rdb-base";
import type { RegionHeartbeatResponse } from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { StoreInfo } from "../cluster/store-info.ts";
import { reportAllCommand } from "../heartbeat/stream-commands.ts";
import { pdLimits } from "../limits.ts";
import type { CommandLog } from "../member/command-log.ts";
import type { Influence } from "../operator/influence.ts";

export interface StoreBurialOptions {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly logger: Logger;
  /** What operators will make of the Store. */
  readonly influence: (id: StoreId) => Influence;
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
  readonly storeBuried: (id: StoreId) => void;
}

/**
 * Ends Stores that were to be emptied and are: no Region has a peer there, no operator brings one, and the Store itself
 * says that it has destroyed all it had, or is down.
 */
export class StoreBurial {
  readonly #options: StoreBurialOptions;
  #nextMonotonicMs = 0;
  #isBurying = false;

  constructor(options: StoreBurialOptions) {
    this.#options = options;
  }

  /** Looks now and then. */
  async tick(monotonicMs: number): Promise<void> {
    if (monotonicMs < this.#nextMonotonicMs || this.#isBurying) {
      return;
    }
    this.#nextMonotonicMs = monotonicMs + pdLimits.pulseEveryMs;
    const { cluster } = this.#options;
    this.#isBurying = true;
    try {
      for (const store of [...cluster.durable.stores.values()]) {
        if (store.isDraining && !store.isTombstone && this.#isLeft(store)) {
          await this.#bury(store, monotonicMs);
        }
      }
    } finally {
      this.#isBurying = false;
    }
  }

  #isLeft({ id }: StoreInfo): boolean {
    const { regionCount, addingCount } = this.#options.influence(id);
    return this.#options.cluster.index.of(id).regionCount === 0 && regionCount === 0 && addingCount === 0;
  }

  async #bury(store: StoreInfo, monotonicMs: number): Promise<void> {
    const { cluster, log, logger, send, storeBuried } = this.#options;
    const activity = cluster.activity(store.id);
    const isEmpty = activity.isComplete && activity.reportCount === 0;
    const isDown = cluster.condition(store, monotonicMs) === "Down";
    if (!isEmpty && !isDown) {
      // It is asked rather than waited for; a Store without a stream will report when it is back.
      send(store.id, reportAllCommand());
      return;
    }
    await log.propose({ kind: "BuryStore", storeId: store.id });
    logger.info({ store: store.id, address: store.address }, "drained store is gone for good");
    storeBuried(store.id);
  }
}

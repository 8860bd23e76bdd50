import { EMPTY_KEY, type StoreId } from "@flaredb/rdb-base";
import { type RegionHeartbeatResponse, logCommandVersions } from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";
import { checkRegionCommand } from "../heartbeat/stream-commands.ts";
import { pdLimits } from "../limits.ts";
import type { PlacementConfig } from "../placement/placement-config.ts";

export interface ReplicaCheckRoundOptions {
  readonly cluster: ClusterState;
  readonly config: () => PlacementConfig;
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
}

/** Has each Region's peers compared with each other, one Region after the other, so that a round takes as configured. */
export class ReplicaCheckRound {
  readonly #options: ReplicaCheckRoundOptions;
  #nextKey: Uint8Array = EMPTY_KEY;
  #lastMonotonicMs: number;
  /** Regions that are due; grows as time passes. */
  #due = 0;

  constructor(options: ReplicaCheckRoundOptions, startedMonotonicMs: number) {
    this.#options = options;
    this.#lastMonotonicMs = startedMonotonicMs;
  }

  tick(monotonicMs: number): void {
    const { cluster, config } = this.#options;
    const passedMs = monotonicMs - this.#lastMonotonicMs;
    this.#lastMonotonicMs = monotonicMs;
    const { replicaCheckIntervalMs } = config();
    const { clusterVersion } = cluster.durable;
    if (replicaCheckIntervalMs === 0 || clusterVersion < logCommandVersions.computeHash) {
      this.#due = 0;
      return;
    }
    this.#due += (cluster.durable.regions.size * passedMs) / replicaCheckIntervalMs;
    const count = Math.min(Math.floor(this.#due), pdLimits.replicaCheckMaxCount);
    this.#due = Math.min(this.#due - count, pdLimits.replicaCheckMaxCount);
    if (count > 0) {
      this.#checkNext(count);
    }
  }

  #checkNext(count: number): void {
    const { cluster, send } = this.#options;
    const { regions, next } = cluster.durable.regions.page(this.#nextKey, count);
    for (const region of regions) {
      const leader = cluster.infoOf(region).status?.leader;
      if (leader !== undefined) {
        send(leader.storeId, checkRegionCommand(region));
      }
    }
    this.#nextKey = next?.startKey ?? EMPTY_KEY;
  }
}

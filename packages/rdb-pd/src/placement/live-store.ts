import type { StoreId } from "@flaredb/rdb-base";
import type { StoreStats } from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { RegionLoad } from "../cluster/region-info.ts";
import type { StoreRegions } from "../cluster/region-index.ts";
import type { StoreInfo } from "../cluster/store-info.ts";
import type { Influence } from "../operator/influence.ts";
import type { PlacementConfig } from "./placement-config.ts";
import type { PlacementStore } from "./placement-view.ts";
import { storeLimits } from "./store-limits.ts";

interface LiveStorePorts {
  readonly cluster: ClusterState;
  readonly config: () => PlacementConfig;
  readonly influence: (id: StoreId) => Influence;
}

/** A Store as it is whenever one looks, until its durable part changes. */
export class LiveStore implements PlacementStore {
  readonly info: StoreInfo;
  readonly #ports: LiveStorePorts;
  readonly #nowMs: () => number;

  constructor(info: StoreInfo, ports: LiveStorePorts, nowMs: () => number) {
    this.info = info;
    this.#ports = ports;
    this.#nowMs = nowMs;
  }

  get id(): StoreId {
    return this.info.id;
  }

  get condition(): "Up" | "Disconnected" | "Down" {
    return this.info.isLost === true ? "Down" : this.#ports.cluster.liveness.state(this.id, this.#nowMs());
  }

  get isDraining(): boolean {
    return this.info.isDraining;
  }

  get evictsLeaders(): boolean {
    return this.info.evictsLeaders;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.info.labels;
  }

  get stats(): StoreStats | undefined {
    return this.#ports.cluster.activity(this.id).stats;
  }

  get regionCount(): number {
    return this.#regions.regionCount;
  }

  get leaderCount(): number {
    return this.#regions.led.size;
  }

  get regionSizeBytes(): number {
    return this.#regions.sizeBytes;
  }

  get plannedRegionCount(): number {
    return this.#influence.regionCount;
  }

  get plannedLeaderCount(): number {
    return this.#influence.leaderCount;
  }

  get plannedSizeBytes(): number {
    return this.#influence.sizeBytes;
  }

  get pendingPeerCount(): number {
    return this.#regions.pendingPeerCount;
  }

  get canAddPeer(): boolean {
    return this.#influence.addingCount < storeLimits(this.#ports.config(), this.id).addLimit;
  }

  /** Who is down gives without limit: others carry it out. */
  get canRemovePeer(): boolean {
    const { removeLimit } = storeLimits(this.#ports.config(), this.id);
    return this.condition === "Down" || this.#influence.removingCount < removeLimit;
  }

  get load(): RegionLoad {
    return this.#regions.load;
  }

  get #regions(): StoreRegions {
    return this.#ports.cluster.index.of(this.id);
  }

  get #influence(): Influence {
    return this.#ports.influence(this.id);
  }
}

import {
  type PeerId,
  type Region,
  type RegionId,
  type StoreId,
  compareEndKeys,
  compareKeys,
} from "@flaredb/rdb-base";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { Influence } from "../operator/influence.ts";
import { LiveStore } from "./live-store.ts";
import type { PlacementConfig } from "./placement-config.ts";
import type { PlacementStore, PlacementView } from "./placement-view.ts";

/** What the view shows beside the cluster itself. */
export interface ViewPorts {
  readonly cluster: ClusterState;
  readonly config: () => PlacementConfig;
  /** What operators will make of the Store. */
  readonly influence: (id: StoreId) => Influence;
  readonly hasOperator: (id: RegionId) => boolean;
  readonly newPeerId: () => PeerId;
  /** Whole number in [0, bound). */
  readonly random: (bound: number) => number;
}

/**
 * The cluster as checkers and schedulers see it. Shows what is, not a copy: what an operator takes on counts from the
 * moment on that it is made. Looking costs the same however many Regions there are.
 */
export class ClusterPlacementView implements PlacementView {
  nowMs: number;
  readonly #ports: ViewPorts;
  /** By id; made anew when a Store comes, goes or changes its flags. */
  #stores: readonly LiveStore[] = [];
  readonly #byId = new Map<StoreId, LiveStore>();

  constructor(ports: ViewPorts, nowMs: number) {
    this.#ports = ports;
    this.nowMs = nowMs;
  }

  get config(): PlacementConfig {
    return this.#ports.config();
  }

  get replicaCount(): number {
    return this.#ports.config().replicas;
  }

  /** Begins a look at the cluster as it is at this moment; monotonic. */
  refresh(nowMs: number): this {
    this.nowMs = nowMs;
    const present = [...this.#ports.cluster.durable.stores.values()].filter(
      ({ isTombstone }) => !isTombstone,
    );
    const isSame =
      present.length === this.#stores.length && present.every((info, at) => this.#stores[at]?.info === info);
    if (!isSame) {
      this.#stores = present.map((info) => new LiveStore(info, this.#ports, () => this.nowMs));
      this.#byId.clear();
      for (const store of this.#stores) {
        this.#byId.set(store.id, store);
      }
    }
    return this;
  }

  stores(): readonly PlacementStore[] {
    return this.#stores;
  }

  store(id: StoreId): PlacementStore | undefined {
    return this.#byId.get(id);
  }

  region(id: RegionId): RegionInfo | undefined {
    return this.#ports.cluster.region(id);
  }

  neighbours(region: Region): {
    readonly left: RegionInfo | undefined;
    readonly right: RegionInfo | undefined;
  } {
    const { cluster } = this.#ports;
    const { regions } = cluster.durable;
    const left = region.startKey.length === 0 ? undefined : regions.before(region.startKey);
    const right = region.endKey.length === 0 ? undefined : regions.holding(region.endKey);
    const touchesLeft = left !== undefined && compareEndKeys(left.endKey, region.startKey) === 0;
    const touchesRight = right !== undefined && compareKeys(right.startKey, region.endKey) === 0;
    return {
      left: touchesLeft ? cluster.infoOf(left) : undefined,
      right: touchesRight ? cluster.infoOf(right) : undefined,
    };
  }

  regionsLedBy(id: StoreId): Iterable<RegionInfo> {
    return this.#infos(this.#ports.cluster.index.of(id).led);
  }

  pickRegionOn(
    id: StoreId,
    role: "leader" | "follower" | "any",
    draws: number,
    fits: (info: RegionInfo) => boolean,
  ): RegionInfo | undefined {
    const { led, followed } = this.#ports.cluster.index.of(id);
    const ledCount = role === "follower" ? 0 : led.size;
    const count = ledCount + (role === "leader" ? 0 : followed.size);
    for (let draw = 0; draw < draws && count > 0; draw++) {
      const place = this.random(count);
      const regionId = place < ledCount ? led.at(place) : followed.at(place - ledCount);
      const info = regionId === undefined ? undefined : this.region(regionId);
      if (info !== undefined && fits(info)) {
        return info;
      }
    }
    return undefined;
  }

  hasOperator(id: RegionId): boolean {
    return this.#ports.hasOperator(id);
  }

  newPeerId(): PeerId {
    return this.#ports.newPeerId();
  }

  random(bound: number): number {
    return this.#ports.random(bound);
  }

  *#infos(ids: Iterable<RegionId>): Iterable<RegionInfo> {
    for (const id of ids) {
      const info = this.region(id);
      if (info !== undefined) {
        yield info;
      }
    }
  }
}

import { type Clock, type Region, RdbError, type RegionId, type StoreId } from "@flaredb/rdb-base";
import type { ClusterState, CountedStoreView, StoreView } from "./cluster-state.ts";
import type { RegionInfo } from "./region-info.ts";
import type { StoreInfo } from "./store-info.ts";

/** How many peers a Store takes in and gives away at a time, and does. */
export interface StoreLimitsView {
  readonly addLimit: number;
  readonly removeLimit: number;
  /** Whether it was set for this Store alone; else it is the limit of all Stores. */
  readonly isOwnAddLimit: boolean;
  readonly isOwnRemoveLimit: boolean;
  /** Peers that operators move to it or away from it now, or wait to move. */
  readonly addingCount: number;
  readonly removingCount: number;
}

/** A Store with all that PD shows of it. */
export interface FullStoreView extends CountedStoreView {
  readonly limits: StoreLimitsView;
}

/** What PD answers to whoever asks where things are and how they do. Reads only. */
export class ClusterLookup {
  readonly #cluster: ClusterState;
  readonly #clock: Clock;
  readonly #limitsOf: (id: StoreId) => StoreLimitsView;

  constructor(cluster: ClusterState, clock: Clock, limitsOf: (id: StoreId) => StoreLimitsView) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#limitsOf = limitsOf;
  }

  /** Every Store, tombstones included, with the counts of its Regions. */
  countedStores(): FullStoreView[] {
    const views = this.#cluster.countedStoreViews(this.#clock.monotonicMs());
    return views.map((view) => ({ ...view, limits: this.#limitsOf(view.store.id) }));
  }

  /** Every Store, tombstones included. */
  allStores(): StoreView[] {
    return [...this.#cluster.durable.stores.values()].map((store) => this.#storeView(store));
  }

  /** Stores that are not gone for good. */
  presentStores(): StoreView[] {
    const present = [...this.#cluster.durable.stores.values()].filter((store) => !store.isTombstone);
    return present.map((store) => this.#storeView(store));
  }

  /** The Stores of a Region's peers. */
  storesOf(region: Region): StoreView[] {
    return region.peers.flatMap(({ storeId }) => {
      const store = this.#cluster.durable.stores.get(storeId);
      return store === undefined ? [] : [this.#storeView(store)];
    });
  }

  ledRegionCount(): number {
    return this.#cluster.ledRegionCount(this.#clock.monotonicMs());
  }

  /** @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED before the initial Regions are placed */
  checkBootstrapped(): void {
    const { bootstrapped, config } = this.#cluster.durable.cluster;
    if (!bootstrapped) {
      const upCount = this.#cluster.upStoreIds(this.#clock.monotonicMs()).length;
      throw new RdbError(
        "RDB_CLUSTER_NOT_BOOTSTRAPPED",
        `the cluster has no regions yet: ${upCount} of ${config?.bootstrapStoreCount ?? 0} stores are up`,
        { details: { upStoreCount: upCount, bootstrapStoreCount: config?.bootstrapStoreCount ?? 0 } },
      );
    }
  }

  /**
   * The Region that holds the key, or with `before` the keys just below it.
   *
   * @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED; RDB_REGION_NOT_FOUND while a split is known only in part
   */
  regionOf(key: Uint8Array, before: boolean): RegionInfo {
    this.checkBootstrapped();
    const { regions } = this.#cluster.durable;
    const region = before ? regions.before(key) : regions.holding(key);
    if (region === undefined) {
      throw new RdbError("RDB_REGION_NOT_FOUND", "the key's region is just changing its range: ask again");
    }
    return this.#cluster.infoOf(region);
  }

  /** @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED; RDB_NOT_FOUND */
  regionById(id: RegionId): RegionInfo {
    this.checkBootstrapped();
    const info = this.#cluster.region(id);
    if (info === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `region ${id} is not known`, { details: { regionId: id } });
    }
    return info;
  }

  /** @throws RdbError RDB_NOT_FOUND */
  storeById(id: StoreId): FullStoreView {
    const store = this.#cluster.durable.stores.get(id);
    if (store === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `store ${id} is not known`, { details: { storeId: id } });
    }
    const view = this.#cluster.countedStoreView(store, this.#clock.monotonicMs());
    return { ...view, limits: this.#limitsOf(id) };
  }

  /**
   * At most `limit` Regions in the order of their keys, from the one that holds `startKey`, or the first behind it, on.
   *
   * @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED
   */
  regionPage(
    startKey: Uint8Array,
    limit: number,
  ): { readonly regions: readonly RegionInfo[]; readonly next: Region | undefined } {
    this.checkBootstrapped();
    const { regions, next } = this.#cluster.durable.regions.page(startKey, limit);
    return { regions: regions.map((region) => this.#cluster.infoOf(region)), next };
  }

  #storeView(store: StoreInfo): StoreView {
    return this.#cluster.storeView(store, this.#clock.monotonicMs());
  }
}

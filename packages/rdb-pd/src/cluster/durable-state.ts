import { type Region, type RegionId, type StoreId, storeId } from "@flaredb/rdb-base";
import type { ClusterConfig } from "../command/command.ts";
import { type PutResult, RegionTree } from "./region-tree.ts";
import type { StoreInfo } from "./store-info.ts";

/** The part of the state that is one row. */
export interface ClusterRow {
  /** 0 until it is drawn; then it never changes. */
  readonly clusterId: number;
  /** The lowest Region or peer id that nobody was given. Never goes back. */
  readonly nextId: number;
  /** The lowest Store id that nobody was given. Never goes back. */
  readonly nextStoreId: number;
  readonly config: ClusterConfig | undefined;
  /** Whether the initial Regions were placed. */
  readonly bootstrapped: boolean;
}

/** A row of the state that changed and is to be written. */
export type ChangedRow =
  | { readonly kind: "Cluster" }
  | { readonly kind: "Store"; readonly id: StoreId }
  | { readonly kind: "Region"; readonly id: RegionId };

/** What a new PD begins from. */
const emptyCluster: ClusterRow = {
  clusterId: 0,
  nextId: 1,
  nextStoreId: 1,
  config: undefined,
  bootstrapped: false,
};

/**
 * PD's durable state: what its log's applied commands made. Changed only by them (command/apply.ts), and by the
 * rows that are read back at start. It notes which rows changed, so that a driver can write just those.
 */
export class DurableState {
  #cluster: ClusterRow = emptyCluster;
  readonly #stores = new Map<StoreId, StoreInfo>();
  readonly #regions = new RegionTree();
  /** Initial Regions of which a leader and every peer have not reported yet: some peer may still have to be made. */
  readonly #forming = new Set<RegionId>();
  #clusterChanged = false;
  readonly #changedStores = new Set<StoreId>();
  readonly #changedRegions = new Set<RegionId>();

  get cluster(): ClusterRow {
    return this.#cluster;
  }

  /** Tombstones included, in the order of their ids. */
  get stores(): ReadonlyMap<StoreId, StoreInfo> {
    return this.#stores;
  }

  get regions(): Pick<RegionTree, "size" | "get" | "all" | "holding" | "before" | "page" | "staleReason"> {
    return this.#regions;
  }

  get forming(): ReadonlySet<RegionId> {
    return this.#forming;
  }

  updateCluster(change: Partial<ClusterRow>): void {
    this.#cluster = { ...this.#cluster, ...change };
    this.#clusterChanged = true;
  }

  /** Takes `count` consecutive ids out of the sequence of Region and peer ids and gives the first. */
  takeIds(count: number): number {
    const firstId = this.#cluster.nextId;
    this.updateCluster({ nextId: firstId + count });
    return firstId;
  }

  takeStoreId(): StoreId {
    const id = storeId(this.#cluster.nextStoreId);
    this.updateCluster({ nextStoreId: id + 1 });
    return id;
  }

  putStore(store: StoreInfo): void {
    this.#stores.set(store.id, store);
    this.#changedStores.add(store.id);
  }

  putRegion(region: Region): PutResult {
    const result = this.#regions.put(region);
    if (result.accepted) {
      this.#changedRegions.add(region.id);
      for (const removed of result.removed) {
        this.#forming.delete(removed.id);
        this.#changedRegions.add(removed.id);
      }
    }
    return result;
  }

  setForming(id: RegionId, isForming: boolean): void {
    if (isForming) {
      this.#forming.add(id);
    } else {
      this.#forming.delete(id);
    }
    this.#changedRegions.add(id);
  }

  /** The rows that changed since the last call, each once. */
  takeChangedRows(): ChangedRow[] {
    const changed: ChangedRow[] = this.#clusterChanged ? [{ kind: "Cluster" }] : [];
    for (const id of this.#changedStores) {
      changed.push({ kind: "Store", id });
    }
    for (const id of this.#changedRegions) {
      changed.push({ kind: "Region", id });
    }
    this.#clusterChanged = false;
    this.#changedStores.clear();
    this.#changedRegions.clear();
    return changed;
  }
}

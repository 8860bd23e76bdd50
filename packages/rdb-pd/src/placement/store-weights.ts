import type { StoreId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { PlacementStore } from "./placement-view.ts";

/** Capacities further apart than this from their mean count as this: no Store is to get all, or none. */
const MAX_CAPACITY_RATIO = 8;

/**
 * How heavily Stores are loaded with Regions, comparable among Stores of different capacity. A Region weighs its bytes
 * and, for what each one costs by itself, the mean bytes of all Regions: so counts and bytes even out together, also
 * where all Regions are empty.
 */
export class StoreWeights {
  /** Bytes that every Region weighs beside its own. */
  readonly baseBytes: number;
  readonly #meanCapacityBytes: number;

  /** @param stores all of them */
  constructor(stores: readonly PlacementStore[]) {
    const peerCount = stores.reduce((sum, store) => sum + store.regionCount, 0);
    const sizeBytes = stores.reduce((sum, store) => sum + store.regionSizeBytes, 0);
    this.baseBytes = Math.max(1, peerCount === 0 ? 1 : sizeBytes / peerCount);
    const capacities = stores.map(capacityBytes).filter((bytes) => bytes > 0);
    this.#meanCapacityBytes =
      capacities.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, capacities.length);
  }

  /** What the Store will bear once all running operators are done, for its capacity. */
  ofStore(store: PlacementStore): number {
    const count = store.regionCount + store.plannedRegionCount;
    const sizeBytes = store.regionSizeBytes + store.plannedSizeBytes;
    return (sizeBytes + count * this.baseBytes) / this.#share(store);
  }

  /** What one more peer of the Region adds to the Store's weight. */
  ofRegion(info: RegionInfo, store: PlacementStore): number {
    return ((info.status?.approximateSizeBytes ?? 0) + this.baseBytes) / this.#share(store);
  }

  /** The Store's capacity as a multiple of the mean. */
  #share(store: PlacementStore): number {
    const bytes = capacityBytes(store);
    if (bytes === 0 || this.#meanCapacityBytes === 0) {
      return 1;
    }
    const ratio = bytes / this.#meanCapacityBytes;
    return Math.min(MAX_CAPACITY_RATIO, Math.max(1 / MAX_CAPACITY_RATIO, ratio));
  }
}

function capacityBytes({ stats }: PlacementStore): number {
  return Number(stats?.capacityBytes ?? 0n);
}

/** Leaders that the Store will have once all running operators are done. */
export function leaderWeight(store: PlacementStore): number {
  return store.leaderCount + store.plannedLeaderCount;
}

/** The lowest first; among equals the one with the lower id, so that the same view gives the same answer. */
export function byWeight<T extends { readonly id: StoreId }>(
  stores: readonly T[],
  weightOf: (store: T) => number,
): T[] {
  return stores
    .map((store) => ({ store, weight: weightOf(store) }))
    .sort((a, b) => a.weight - b.weight || a.store.id - b.store.id)
    .map(({ store }) => store);
}

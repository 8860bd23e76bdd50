import type { StoreId } from "@flaredb/rdb-base";
import type { PlacementStore } from "../placement-view.ts";

interface Entry {
  readonly store: PlacementStore;
  weight: number;
}

/** Stores with what they bear, while a scheduler makes one plan after the other: each plan counts for the next. */
export class WeightBoard {
  readonly #entries = new Map<StoreId, Entry>();
  /** Undefined once a weight changed. */
  #ascending: readonly PlacementStore[] | undefined;

  constructor(stores: readonly PlacementStore[], weightOf: (store: PlacementStore) => number) {
    for (const store of stores) {
      this.#entries.set(store.id, { store, weight: weightOf(store) });
    }
  }

  /** Undefined: the Store is not on the board. */
  weight(id: StoreId): number | undefined {
    return this.#entries.get(id)?.weight;
  }

  get mean(): number {
    const weights = [...this.#entries.values()].map(({ weight }) => weight);
    return weights.length === 0 ? 0 : weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  }

  shift(id: StoreId, change: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) {
      entry.weight += change;
      this.#ascending = undefined;
    }
  }

  /** The lightest first, then by id. */
  ascending(): readonly PlacementStore[] {
    this.#ascending ??= [...this.#entries.values()]
      .sort((a, b) => a.weight - b.weight || a.store.id - b.store.id)
      .map(({ store }) => store);
    return this.#ascending;
  }
}

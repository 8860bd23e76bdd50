import type { RuledOut } from "../decision.ts";
import type { PlacementStore } from "../placement-view.ts";

/** One ground on which a Store is no candidate. */
export interface StoreFilter {
  /** A stable word, as `down`, `limit`, `same-host`. */
  readonly name: string;
  /** Why the Store is ruled out, with values; undefined when it is not. */
  reason(store: PlacementStore): string | undefined;
}

/** The Stores that no filter rules out, in their order, and for each other one the first filter that did. */
export function sift(
  stores: readonly PlacementStore[],
  filters: readonly StoreFilter[],
): { readonly fits: PlacementStore[]; readonly ruledOut: RuledOut[] } {
  const fits: PlacementStore[] = [];
  const ruledOut: RuledOut[] = [];
  for (const store of stores) {
    const reason = firstReason(store, filters);
    if (reason === undefined) {
      fits.push(store);
    } else {
      ruledOut.push(reason);
    }
  }
  return { fits, ruledOut };
}

/** By which filter, and why, the Store is ruled out. */
export function firstReason(store: PlacementStore, filters: readonly StoreFilter[]): RuledOut | undefined {
  for (const filter of filters) {
    const reason = filter.reason(store);
    if (reason !== undefined) {
      return { storeId: store.id, filter: filter.name, reason };
    }
  }
  return undefined;
}

/** Whether no filter rules the Store out. */
export function passes(store: PlacementStore, filters: readonly StoreFilter[]): boolean {
  return filters.every((filter) => filter.reason(store) === undefined);
}

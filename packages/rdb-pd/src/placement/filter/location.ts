import { assert } from "@flaredb/rdb-base";
import type { PlacementStore } from "../placement-view.ts";

/** Each level of labels outweighs all narrower ones together, for any number of peers that a Region may have. */
const LEVEL_WEIGHT = 100;

/**
 * The first of the labels, the widest first, by which two Stores differ; -1 when they are at the same place. A Store
 * without the label counts as being at the place of every other one.
 */
function differingLevel(a: PlacementStore, b: PlacementStore, labels: readonly string[]): number {
  return labels.findIndex((label) => {
    const [left, right] = [a.labels[label], b.labels[label]];
    return left !== undefined && right !== undefined && left !== right;
  });
}

/** How far the Store is from the others; more is better. Wider distances count by orders of magnitude. */
export function isolationScore(
  store: PlacementStore,
  others: readonly PlacementStore[],
  labels: readonly string[],
): number {
  return others.reduce((sum, other) => {
    const level = other.id === store.id ? -1 : differingLevel(store, other, labels);
    return level < 0 ? sum : sum + LEVEL_WEIGHT ** (labels.length - 1 - level);
  }, 0);
}

/** How far apart the Stores are from each other, each pair counted twice. */
export function totalIsolation(stores: readonly PlacementStore[], labels: readonly string[]): number {
  return stores.reduce((sum, store) => sum + isolationScore(store, stores, labels), 0);
}

/** The widest label that the Store shares with one of the others, and with whom; undefined when it shares none. */
export function sharedPlace(
  store: PlacementStore,
  others: readonly PlacementStore[],
  labels: readonly string[],
): { readonly label: string; readonly value: string; readonly other: PlacementStore } | undefined {
  for (const label of labels) {
    const value = store.labels[label];
    const other = value === undefined ? undefined : others.find((each) => each.labels[label] === value);
    if (value !== undefined && other !== undefined) {
      return { label, value, other };
    }
  }
  return undefined;
}

/** How far apart so many peers could be if each were put on the best of these Stores, one after the other. */
export function reachableIsolation(
  stores: readonly PlacementStore[],
  count: number,
  labels: readonly string[],
): number {
  const rest = new Set(someOfEachPlace(stores, labels, count));
  const picked: PlacementStore[] = [];
  while (picked.length < count && rest.size > 0) {
    let best: PlacementStore | undefined;
    let bestScore = -1;
    for (const store of rest) {
      const score = isolationScore(store, picked, labels);
      if (score > bestScore) {
        best = store;
        bestScore = score;
      }
    }
    assert(best !== undefined, "a score is 0 or more");
    picked.push(best);
    rest.delete(best);
  }
  return totalIsolation(picked, labels);
}

/** At most `count` Stores of each place: more of them cannot help. */
function someOfEachPlace(
  stores: readonly PlacementStore[],
  labels: readonly string[],
  count: number,
): PlacementStore[] {
  const seen = new Map<string, number>();
  return stores.filter((store) => {
    const place = JSON.stringify(labels.map((label) => store.labels[label] ?? ""));
    const before = seen.get(place) ?? 0;
    seen.set(place, before + 1);
    return before < count;
  });
}

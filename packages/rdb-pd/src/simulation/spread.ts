import type { PlacementStore } from "../placement/placement-view.ts";
import type { ModelCluster } from "./model-cluster.ts";

/** How evenly something lies on the Stores. */
export interface Spread {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** How far the furthest Store is from the mean, as a part of it. */
  readonly deviation: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const min = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const max = values.reduce((high, value) => Math.max(high, value), 0);
  return { min, mean, max, deviation: mean === 0 ? 0 : Math.max(max - mean, mean - min) / mean };
}

/** Of the Stores that are up. */
export function regionSpread(model: ModelCluster): Spread {
  return spreadOf(upStores(model).map(({ regionCount }) => regionCount));
}

export function leaderSpread(model: ModelCluster): Spread {
  return spreadOf(upStores(model).map(({ leaderCount }) => leaderCount));
}

export function upStores(model: ModelCluster): PlacementStore[] {
  const { view, now } = model;
  return view
    .refresh(now.monotonicMs)
    .stores()
    .filter(({ condition }) => condition === "Up");
}

import type { Cluster, Flows, Operator, Region, Store } from "./gen/types.ts";
import { type Asked, useApi } from "./use-api.ts";

// What several pages ask for, and how often.

const HEALTH_EVERY_MS = 4_000;
const STORES_EVERY_MS = 3_000;
const OPERATORS_EVERY_MS = 2_000;
const FLOWS_EVERY_MS = 2_000;
const HOT_EVERY_MS = 5_000;

export function useCluster(): Asked<Cluster> {
  return useApi<Cluster>("/cluster", HEALTH_EVERY_MS);
}

export function useStores(): Asked<{ readonly stores: readonly Store[] }> {
  return useApi("/stores", STORES_EVERY_MS);
}

export function useOperators(): Asked<{ readonly operators: readonly Operator[] }> {
  return useApi("/operators", OPERATORS_EVERY_MS);
}

export function useFlows(): Asked<Flows> {
  return useApi<Flows>("/flows", FLOWS_EVERY_MS);
}

export function useHotRegions(by: string, limit: number): Asked<{ readonly regions: readonly Region[] }> {
  return useApi(`/regions/hot?by=${by}&limit=${limit}`, HOT_EVERY_MS);
}

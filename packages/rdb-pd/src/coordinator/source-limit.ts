import type { PlacementConfig } from "../placement/placement-config.ts";

type LimitName = "leaderLimit" | "regionLimit" | "hotRegionLimit" | "replicaLimit" | "mergeLimit";

/** By which setting the operators of a checker or scheduler that run at a time are limited. */
const limitNames: Readonly<Record<string, LimitName>> = {
  replica: "replicaLimit",
  location: "replicaLimit",
  merge: "mergeLimit",
  "balance-leader": "leaderLimit",
  "balance-region": "regionLimit",
  "hot-region": "hotRegionLimit",
  "evict-leader": "leaderLimit",
  "evict-slow-store": "leaderLimit",
};

/** How many operators of this origin may run at a time, and the setting that says so; those not named: without limit. */
export function sourceLimit(
  name: string,
  config: PlacementConfig,
): { readonly setting: string; readonly limit: number } | undefined {
  const setting = limitNames[name];
  return setting === undefined ? undefined : { setting, limit: config[setting] };
}

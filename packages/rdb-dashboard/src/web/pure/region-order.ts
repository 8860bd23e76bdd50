import type { Region } from "../api/gen/types.ts";

/** By what a list of Regions may be ordered. */
export const regionOrders = [
  { value: "key", text: "Key" },
  { value: "size", text: "Size" },
  { value: "writes", text: "Writes" },
  { value: "reads", text: "Reads" },
] as const;

export type RegionOrder = (typeof regionOrders)[number]["value"];

/** By key as they come; by everything else the greatest first, equal ones by key. */
export function orderedRegions(regions: readonly Region[], order: RegionOrder): readonly Region[] {
  const weigh = weights[order];
  return weigh === undefined ? regions : [...regions].sort((a, b) => weigh(b) - weigh(a));
}

const weights: Readonly<Record<RegionOrder, ((region: Region) => number) | undefined>> = {
  key: undefined,
  size: ({ approximateSizeBytes }) => approximateSizeBytes,
  writes: ({ load }) => load.writtenKeysPerSecond,
  reads: ({ load }) => load.readKeysPerSecond,
};

/** What is wrong with a Region in a word or two; undefined: nothing. */
export function regionTrouble(region: Region): string | undefined {
  const { leader, damagedPeerIds, downPeerIds, pendingPeerIds } = region;
  if (leader === null) {
    return "no leader";
  }
  if (damagedPeerIds.length > 0) {
    return "damaged peer";
  }
  if (downPeerIds.length > 0) {
    return downPeerIds.length === 1 ? "peer down" : `${downPeerIds.length} peers down`;
  }
  return pendingPeerIds.length > 0 ? "peer lags" : undefined;
}

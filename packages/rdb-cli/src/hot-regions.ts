import type { RegionLoad, RegionRoute } from "@flaredb/rdb-proto";
import { invalid } from "./input/bytes.ts";

/** By what Regions are hot; each per second. As options of the command line have it. */
export const heatNames = ["written-bytes", "written-keys", "read-bytes", "read-keys"] as const;

export type Heat = (typeof heatNames)[number];

type LoadField = Exclude<keyof RegionLoad, `$${string}`>;

/** The field of a Region's load. */
const heatFields = {
  "written-bytes": "writtenBytesPerSecond",
  "written-keys": "writtenKeysPerSecond",
  "read-bytes": "readBytesPerSecond",
  "read-keys": "readKeysPerSecond",
} as const satisfies Readonly<Record<Heat, LoadField>>;

/** @throws RdbError RDB_INVALID_ARGUMENT naming what there is */
export function parseHeat(text: string): Heat {
  const heat = heatNames.find((name) => name === text);
  if (heat === undefined) {
    throw invalid("by", `by "${text}" must be one of ${heatNames.join(", ")}`);
  }
  return heat;
}

/** The hottest first, by what their leaders last reported; idle ones are left out. */
export function hottest(routes: readonly RegionRoute[], by: Heat, maxCount: number): RegionRoute[] {
  const heatOf = (route: RegionRoute): bigint => route.load?.[heatFields[by]] ?? 0n;
  return routes
    .filter((route) => heatOf(route) > 0n)
    .sort((a, b) => Number(heatOf(b) - heatOf(a)))
    .slice(0, maxCount);
}

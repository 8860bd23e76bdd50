import { MINUTE_MS, MiB, SECOND_MS, type StoreId } from "@flaredb/rdb-base";
import { about } from "@flaredb/rdb-process";
import { z } from "zod";
import type { OwnStoreLimits } from "./store-limits.ts";

const count = z.int().min(0);

/**
 * What of placement can be changed while PD runs (`rdb config`, `rdb scheduler config`). Kept in PD's log. Names are
 * the settings' names for users; each has its unit in its name.
 */
export const placementSchema = z.strictObject({
  maxStoreDownTimeMs: z
    .int()
    .min(SECOND_MS)
    .default(10 * MINUTE_MS)
    .meta(about("A Store that is silent for so long is down: its peers are replaced.")),
  replicas: z
    .int()
    .min(1)
    .max(9)
    .default(3)
    .meta(about("Peers of a Region.", { unit: "peers" })),
  locationLabels: z
    .array(z.string().min(1))
    .default(["zone", "host"])
    .meta(about("Labels by which a Region's peers are kept apart, the widest first.")),
  leaderLimit: count
    .default(8)
    .meta(about("Leader transfers that balance-leader lets run at a time.", { unit: "operators" })),
  regionLimit: count
    .default(64)
    .meta(about("Moves that balance-region lets run at a time.", { unit: "operators" })),
  hotRegionLimit: count
    .default(4)
    .meta(about("Operators that hot-region lets run at a time.", { unit: "operators" })),
  replicaLimit: count.default(64).meta(about("Repairs that run at a time.", { unit: "operators" })),
  mergeLimit: count.default(8).meta(about("Merges that run at a time.", { unit: "operators" })),
  storeAddLimit: z
    .int()
    .min(1)
    .default(15)
    .meta(about("Peers that one Store takes in at a time.", { unit: "peers" })),
  storeRemoveLimit: z
    .int()
    .min(1)
    .default(15)
    .meta(about("Peers that one Store gives away at a time.", { unit: "peers" })),
  maxPendingPeers: count
    .default(64)
    .meta(about("A Store with more peers that lag gets no further ones.", { unit: "peers" })),
  tolerance: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .meta(about("How far from even, as a part of the mean, balance leaves things.", { unit: "part" })),
  lowSpacePercent: z
    .number()
    .min(1)
    .max(100)
    .default(85)
    .meta(about("A Store that is fuller gets no peers.", { unit: "%" })),
  mergeEnabled: z.boolean().default(false).meta(about("Whether small neighbours are merged.")),
  mergeMaxSizeBytes: count.default(20 * MiB).meta(about("A Region up to this size may be merged.")),
  mergeMaxKeys: count
    .default(200_000)
    .meta(about("A Region with up to so many keys may be merged.", { unit: "keys" })),
  splitMergeIntervalMs: count
    .default(60 * MINUTE_MS)
    .meta(about("A Region that was just made by a split is not merged for so long.")),
  hotWriteBytesPerSecond: count.default(1 * MiB).meta(about("A Region with more is hot by its writes.")),
  hotReadKeysPerSecond: count
    .default(2_000)
    .meta(about("A Region with more is hot by its reads.", { unit: "keys/s" })),
  splitOverSizeBytes: count
    .default(256 * MiB)
    .meta(about("A Region above this size is split by PD, if its Store has not done so; 0: never.")),
  patrolIntervalMs: z.int().min(1).default(100).meta(about("Pause between two slices of the patrol.")),
  patrolBatch: z
    .int()
    .min(1)
    .default(1_024)
    .meta(about("Regions of one slice of the patrol.", { unit: "Regions" })),
  replicaCheckIntervalMs: count
    .default(24 * 60 * MINUTE_MS)
    .meta(about("How often each Region's peers are compared; 0: only on request.")),
});

/** Checked and frozen. */
export type PlacementConfig = Readonly<z.output<typeof placementSchema>> & {
  /** Of Stores that have some of their own: see `storeLimits`. */
  readonly ownStoreLimits?: ReadonlyMap<StoreId, OwnStoreLimits>;
};

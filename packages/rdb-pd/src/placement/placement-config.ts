import { MINUTE_MS, MiB, SECOND_MS } from "@flaredb/rdb-base";
import { z } from "zod";

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
    .describe("A Store that is silent for so long is down: its peers are replaced."),
  replicas: z.int().min(1).max(9).default(3).describe("Peers of a Region."),
  locationLabels: z
    .array(z.string().min(1))
    .default(["zone", "host"])
    .describe("Labels by which a Region's peers are kept apart, the widest first."),
  leaderLimit: count.default(8).describe("Leader transfers that balance-leader lets run at a time."),
  regionLimit: count.default(64).describe("Moves that balance-region lets run at a time."),
  hotRegionLimit: count.default(4).describe("Operators that hot-region lets run at a time."),
  replicaLimit: count.default(64).describe("Repairs that run at a time."),
  mergeLimit: count.default(8).describe("Merges that run at a time."),
  storeAddLimit: z.int().min(1).default(15).describe("Peers that one Store takes in at a time."),
  storeRemoveLimit: z.int().min(1).default(15).describe("Peers that one Store gives away at a time."),
  maxPendingPeers: count.default(64).describe("A Store with more peers that lag gets no further ones."),
  tolerance: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe("How far from even, as a part of the mean, balance leaves things."),
  lowSpacePercent: z.number().min(1).max(100).default(85).describe("A Store that is fuller gets no peers."),
  mergeEnabled: z.boolean().default(false).describe("Whether small neighbours are merged."),
  mergeMaxSizeBytes: count.default(20 * MiB).describe("A Region up to this size may be merged."),
  mergeMaxKeys: count.default(200_000).describe("A Region with up to so many keys may be merged."),
  splitMergeIntervalMs: count
    .default(60 * MINUTE_MS)
    .describe("A Region that was just made by a split is not merged for so long."),
  hotWriteBytesPerSecond: count.default(1 * MiB).describe("A Region with more is hot by its writes."),
  hotReadKeysPerSecond: count.default(2_000).describe("A Region with more is hot by its reads."),
  splitOverSizeBytes: count
    .default(256 * MiB)
    .describe("A Region above this size is split by PD, if its Store has not done so; 0: never."),
  patrolIntervalMs: z.int().min(1).default(100).describe("Pause between two slices of the patrol."),
  patrolBatch: z.int().min(1).default(1_024).describe("Regions of one slice of the patrol."),
  replicaCheckIntervalMs: count
    .default(24 * 60 * MINUTE_MS)
    .describe("How often each Region's peers are compared; 0: only on request."),
});

/** Checked and frozen. */
export type PlacementConfig = Readonly<z.output<typeof placementSchema>>;

import type { StoreStatus } from "@flaredb/rdb-proto";
import { StoreState } from "@flaredb/rdb-proto";
import { z } from "zod";
import { count, id, timeMs } from "../schemas.ts";

const stateNames: Readonly<Record<number, z.output<typeof storeState>>> = {
  [StoreState.UP]: "up",
  [StoreState.DISCONNECTED]: "disconnected",
  [StoreState.DOWN]: "down",
  [StoreState.DRAINING]: "draining",
  [StoreState.TOMBSTONE]: "tombstone",
};

const storeState = z.enum(["up", "disconnected", "down", "draining", "tombstone", "unknown"]);

export const storeSchema = z
  .strictObject({
    id,
    address: z.string().describe("host:port of its RPC endpoint."),
    httpAddress: z.string().describe("host:port of its HTTP endpoint."),
    state: storeState.describe(
      "draining: it is being decommissioned and answers; tombstone: gone for good, its id is never used again.",
    ),
    labels: z.record(z.string(), z.string()),
    programVersion: z.string(),
    clusterVersion: count.describe("The newest that its program knows; 0 while it has not said."),
    lastHeartbeatMs: timeMs,
    startedMs: timeMs,
    regionCount: count,
    leaderCount: count,
    evictsLeaders: z.boolean().describe("It hands its leaderships away and gets none."),
    regionSizeBytes: count.describe("Approximate, of all its Regions."),
    capacityBytes: count.optional(),
    availableBytes: count.optional(),
    usedBytes: count.optional(),
    limits: z
      .strictObject({
        addLimit: count.describe("Peers that it takes in at a time."),
        removeLimit: count.describe("Peers that it gives away at a time."),
        isOwnAddLimit: z.boolean().describe("Whether that was set for this Store alone."),
        isOwnRemoveLimit: z.boolean(),
        addingCount: count.describe("Peers that operators move to it now, or wait to move."),
        removingCount: count.describe("The same for peers that they take away from it."),
      })
      .meta({ id: "StoreLimits" }),
    isSlow: z.boolean(),
    isFull: z.boolean(),
    residentMemoryBytes: count.optional(),
    putCount: count.optional(),
    getCount: count.optional(),
  })
  .meta({
    id: "Store",
    description: "A Store, as `rdb store show --json` has it. Its figures are absent until it has told them.",
  });

/** As the command line's `--json`. */
export function storeDocument(status: StoreStatus | undefined): z.output<typeof storeSchema> {
  const { store, stats, limits } = status ?? {};
  return {
    id: Number(store?.id ?? 0n),
    address: store?.address ?? "",
    httpAddress: store?.httpAddress ?? "",
    state: stateNames[store?.state ?? StoreState.UNSPECIFIED] ?? "unknown",
    labels: store?.labels ?? {},
    programVersion: store?.programVersion ?? "",
    clusterVersion: store?.clusterVersion ?? 0,
    lastHeartbeatMs: Number(store?.lastHeartbeatMs ?? 0n),
    startedMs: Number(store?.startedMs ?? 0n),
    regionCount: status?.regionCount ?? 0,
    leaderCount: status?.leaderCount ?? 0,
    evictsLeaders: status?.evictsLeaders ?? false,
    regionSizeBytes: Number(status?.regionSizeBytes ?? 0n),
    limits: {
      addLimit: limits?.addLimit ?? 0,
      removeLimit: limits?.removeLimit ?? 0,
      isOwnAddLimit: limits?.isOwnAddLimit ?? false,
      isOwnRemoveLimit: limits?.isOwnRemoveLimit ?? false,
      addingCount: limits?.addingCount ?? 0,
      removingCount: limits?.removingCount ?? 0,
    },
    isSlow: stats?.isSlow ?? false,
    isFull: stats?.isFull ?? false,
    ...(stats === undefined
      ? {}
      : {
          capacityBytes: Number(stats.capacityBytes),
          availableBytes: Number(stats.availableBytes),
          usedBytes: Number(stats.usedBytes),
          residentMemoryBytes: Number(stats.residentMemoryBytes),
          putCount: Number(stats.putCount),
          getCount: Number(stats.getCount),
        }),
  };
}

import { type PdConfig, type RunningPd, parsePdConfig, runPd } from "@flaredb/rdb-pd";
import { StreamEngine } from "@flaredb/rdb-storage";
import type { ClusterShape } from "../faults/cluster-shape.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { Program } from "./sim-process.ts";
import { HTTP_PORT, RPC_PORT } from "./store-program.ts";

/**
 * The production placement driver on a simulated disk.
 *
 * @param knownVersion the newest cluster version that the program says it knows, asked at each start
 */
export function pdProgram(config: PdConfig, disk: SimDisk, knownVersion: () => number): Program<RunningPd> {
  return {
    start: ({ clock, random, logger, wire, onFatal }) =>
      runPd(config, {
        ...{ clock, random, logger, wire, onFatal },
        openEngine: (onWriteFailed) =>
          Promise.resolve(new StreamEngine(disk.open(clock), { clock, onFatal: onWriteFailed })),
        httpAddress: `${config.host}:${HTTP_PORT}`,
        newestClusterVersion: knownVersion(),
      }),
    stop: (running) => running.close(),
  };
}

/** What it decides by, while it leads: one that starts or stops does not. */
export function drivenBy(pd: RunningPd | undefined): RunningPd["driver"] | undefined {
  return pd?.group.isServing === true ? pd.driver : undefined;
}

/**
 * PD's configuration: it places these Regions once all Stores are there.
 *
 * @param hosts of all members; this one alone when there are no others
 */
export function pdConfig(
  host: string,
  hosts: readonly string[],
  shape: ClusterShape,
  splitKeys: readonly string[],
): PdConfig {
  const initialCluster = hosts.map((name) => ({ name, address: `${name}:${RPC_PORT}` }));
  return parsePdConfig({
    host,
    ...(hosts.length === 1 ? {} : { name: host, initialCluster }),
    port: RPC_PORT,
    dataDir: host,
    insecure: true,
    bootstrapStores: shape.storeCount,
    replicas: shape.replicaCount,
    initialSplitKeys: [...splitKeys],
    placement: placementOf(shape),
  });
}

const SPLIT_MERGE_INTERVAL_MS = 1_000;
/** A Region is merged when it has less than this part of the size at which it is split. */
const MERGE_PART = 4;

/** A cluster that is not elastic stays as it was placed. */
function placementOf({ elastic, replicaCheckIntervalMs }: ClusterShape): object {
  const checks = replicaCheckIntervalMs === undefined ? {} : { replicaCheckIntervalMs };
  const still = { leaderLimit: 0, regionLimit: 0, hotRegionLimit: 0 };
  if (elastic === undefined) {
    return { ...checks, ...still, replicaLimit: 0 };
  }
  const { maxStoreDownTimeMs, mergeEnabled, balances, repairs, regionSplitSizeBytes } = elastic;
  return {
    ...checks,
    ...{ maxStoreDownTimeMs, mergeEnabled, splitMergeIntervalMs: SPLIT_MERGE_INTERVAL_MS },
    // What was just merged must not be so large that it is split again.
    mergeMaxSizeBytes: Math.floor(regionSplitSizeBytes / MERGE_PART),
    ...(balances ? {} : still),
    ...(repairs === false ? { replicaLimit: 0 } : {}),
  };
}

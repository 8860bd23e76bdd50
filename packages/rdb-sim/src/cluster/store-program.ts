import { type RunningStore, type StoreConfig, parseStoreConfig, runStore } from "@flaredb/rdb-server";
import { StreamEngine } from "@flaredb/rdb-storage";
import { observeEngine } from "../check/observed-engine.ts";
import type { StoreObserver } from "../check/store-observer.ts";
import type { ClusterShape } from "../faults/cluster-shape.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { Program } from "./sim-process.ts";

/** The port of every process: each has a host of its own. */
export const RPC_PORT = 7400;
/** Nobody serves HTTP here; the address is only shown. */
export const HTTP_PORT = 7401;

/** A peer that hears of no leader for so long asks whether it was removed: sooner than most faults end. */
const STALE_PEER_MS = 2_500;

/**
 * The production Store on a simulated disk.
 *
 * @param knownVersion the newest cluster version that the program knows, asked at each start
 * @param observer watches what it submits to its database
 */
export function storeProgram(
  config: StoreConfig,
  disk: SimDisk,
  knownVersion: () => number,
  observer?: StoreObserver,
): Program<RunningStore> {
  return {
    start: ({ clock, random, logger, wire, signal, onFatal }) =>
      runStore(config, {
        ...{ clock, random, logger, wire, signal, onFatal },
        httpAddress: `${config.host}:${HTTP_PORT}`,
        newestClusterVersion: knownVersion(),
        residentMemoryBytes: () => 0,
        disk: {
          openEngine: (onWriteFailed) => {
            const engine = new StreamEngine(disk.open(clock), { clock, onFatal: onWriteFailed });
            return Promise.resolve(observer ? observeEngine(engine, observer, disk.content) : engine);
          },
          openSnapshots: (inUse) => Promise.resolve(disk.openSnapshots(inUse)),
          freeBytes: () => Promise.resolve(disk.freeBytes),
          noteClusterVersion: () => Promise.resolve(),
          usage: () => Promise.resolve(disk.usage()),
        },
      }),
    stop: (running) => running.close(),
  };
}

/** A Store's configuration on its host: production's but for what the run made small. */
export function storeConfig(
  host: string,
  pdAddresses: readonly string[],
  { limits, elastic }: ClusterShape,
): StoreConfig {
  const { maxSizePerMessageBytes, maxInflightMessages, entryMaxBytes } = limits;
  const { proposalQueueMaxCount, readQueueMaxCount } = limits;
  return parseStoreConfig({
    host,
    port: RPC_PORT,
    dataDir: host,
    pdAddresses: [...pdAddresses],
    insecure: true,
    leaseReads: limits.leaseReads,
    slowDiskMs: limits.slowDiskMs,
    hibernateAfterMs: limits.hibernateAfterMs,
    entryCacheBytes: limits.entryCacheBytes,
    raft: {
      ...{ maxSizePerMessageBytes, maxInflightMessages, entryMaxBytes },
      ...{ proposalQueueMaxCount, readQueueMaxCount },
      ...(limits.roundMinCount === undefined ? {} : { roundMinCount: limits.roundMinCount }),
    },
    logGc: {
      maxEntries: limits.logGcMaxEntries,
      maxBytes: limits.logGcMaxBytes,
      checkIntervalMs: limits.logGcCheckIntervalMs,
    },
    snapshot: {
      chunkMaxBytes: limits.snapshotChunkMaxBytes,
      ...(limits.snapshotResumeMs === undefined ? {} : { resumeTimeoutMs: limits.snapshotResumeMs }),
    },
    ...(elastic === undefined ? {} : { regionSplitSizeBytes: elastic.regionSplitSizeBytes }),
    stalePeerMs: STALE_PEER_MS,
  });
}

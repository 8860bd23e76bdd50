import { MiB } from "@flaredb/rdb-base";
import type { ClockShape, ClusterShape, Elasticity, Limits } from "../faults/cluster-shape.ts";

export interface ScenarioOptions {
  /** The same seed, the same run. */
  readonly seed: number;
  /** Default 3: those that the Regions are placed on. */
  readonly storeCount?: number;
  /** Peers of each Region. Default: one on every Store. */
  readonly replicaCount?: number;
  /** Members of PD. Default 1. */
  readonly pdMemberCount?: number;
  /** Lets Regions split and move as PD is asked to; what is left out is large, or does not happen by itself. */
  readonly elastic?: Partial<Elasticity>;
  /** Where Regions begin. Default: none, one Region over everything. */
  readonly splitKeys?: readonly string[];
  /** Default 2. */
  readonly clientCount?: number;
  /** How long a call of a client may take when it does not say, in ms. Default 60,000. */
  readonly callTimeoutMs?: number;
  /** Limits that differ from production's. */
  readonly limits?: Partial<Limits>;
  /** How the clocks run: Stores, then PD, then clients. Default: exactly. */
  readonly clocks?: (place: number) => ClockShape;
}

/** Longest time that anything a scenario waits for may take, in virtual ms. */
export const PATIENCE_MS = 60_000;
/** A client of a loop rests up to this long between calls. */
export const PAUSE_MAX_MS = 100;

/** Production's limits, where they matter to scenarios. */
const ELASTICITY: Elasticity = {
  spareStoreCount: 0,
  regionSplitSizeBytes: 96 * MiB,
  maxStoreDownTimeMs: 600_000,
  balances: false,
  mergeEnabled: false,
  repairs: false,
};

const LIMITS: Limits = {
  logGcMaxEntries: 50_000,
  logGcMaxBytes: 128 * 1024 * 1024,
  logGcCheckIntervalMs: 10_000,
  snapshotChunkMaxBytes: 1024 * 1024,
  maxSizePerMessageBytes: 1024 * 1024,
  maxInflightMessages: 256,
  entryMaxBytes: 1024 * 1024,
  proposalQueueMaxCount: 16_384,
  readQueueMaxCount: 65_536,
  entryCacheBytes: 64 * 1024 * 1024,
  hibernateAfterMs: 10_000,
  slowDiskMs: 1_000,
  leaseReads: true,
};

/** The cluster that a scenario asks for. */
export function shapeOf(options: ScenarioOptions): ClusterShape {
  const { storeCount = 3, splitKeys = [], clientCount = 2, callTimeoutMs = PATIENCE_MS } = options;
  const clocks = options.clocks ?? (() => ({ rate: 1, wallOffsetMs: 0 }));
  return {
    ...{ storeCount, replicaCount: options.replicaCount ?? storeCount, clientCount, callTimeoutMs },
    ...(options.pdMemberCount === undefined ? {} : { pdMemberCount: options.pdMemberCount }),
    ...(options.elastic === undefined ? {} : { elastic: { ...ELASTICITY, ...options.elastic } }),
    limits: { ...LIMITS, ...options.limits },
    regionCount: splitKeys.length + 1,
    pauseMaxMs: PAUSE_MAX_MS,
    clocks: Array.from({ length: storeCount + 1 + clientCount }, (_, place) => clocks(place)),
    latencyMs: [0.1, 0.5],
    syncMs: [0.1, 0.5],
  };
}

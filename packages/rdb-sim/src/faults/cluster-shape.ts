import { HOUR_MS, type Random } from "@flaredb/rdb-base";

/** How the clock of one process runs. */
export interface ClockShape {
  /** Of the monotonic clock; 1 is exact. */
  readonly rate: number;
  /** How far the wall clock is off. */
  readonly wallOffsetMs: number;
}

/** What is small in a run, so that its limits are met often. The names are those of the Store's configuration. */
export interface Limits {
  readonly logGcMaxEntries: number;
  readonly logGcMaxBytes: number;
  readonly logGcCheckIntervalMs: number;
  readonly snapshotChunkMaxBytes: number;
  readonly maxSizePerMessageBytes: number;
  readonly maxInflightMessages: number;
  readonly entryMaxBytes: number;
  readonly proposalQueueMaxCount: number;
  readonly readQueueMaxCount: number;
  readonly entryCacheBytes: number;
  /** 0: Regions never sleep. */
  readonly hibernateAfterMs: number;
  readonly slowDiskMs: number;
  readonly leaseReads: boolean;
  /** Production's when undefined. */
  readonly roundMinCount?: number;
  /** How long a broken transfer of a snapshot may wait for its next try; production's when undefined. */
  readonly snapshotResumeMs?: number;
}

/** What makes Regions split and move in a run. */
export interface Elasticity {
  /** Stores beside those that the cluster begins with: they join when something wants them. */
  readonly spareStoreCount: number;
  readonly regionSplitSizeBytes: number;
  readonly maxStoreDownTimeMs: number;
  /** Whether PD evens Stores out by itself. */
  readonly balances: boolean;
  readonly mergeEnabled: boolean;
  /** Whether PD replaces peers that are down and takes away those that are too many. Default: it does. */
  readonly repairs?: boolean;
}

/** The cluster of one run. JSON. */
export interface ClusterShape {
  /** 3 or 5. */
  readonly storeCount: number;
  /** Peers of each Region. */
  readonly replicaCount: number;
  /** 1 to 4, placed by PD. */
  readonly regionCount: number;
  readonly clientCount: number;
  /** How long a call of a client may take. */
  readonly callTimeoutMs: number;
  /** A client rests up to this long between calls. */
  readonly pauseMaxMs: number;
  /** Members of PD: 1 when undefined. */
  readonly pdMemberCount?: number;
  /** Of the Stores, then PD, then the clients; further members of PD have exact ones. */
  readonly clocks: readonly ClockShape[];
  readonly limits: Limits;
  /** How often each Region's peers are compared; production's, once a day, when undefined. */
  readonly replicaCheckIntervalMs?: number;
  /** Whether Stores and PD begin with programs that know the oldest cluster version only, until faults change that. */
  readonly olderPrograms?: boolean;
  /** Undefined: Regions stay as they were placed. */
  readonly elastic?: Elasticity;
  /** How long one way takes when nothing is wrong, from and to. */
  readonly latencyMs: readonly [number, number];
  /** How long a synced write takes when nothing is wrong, from and to. */
  readonly syncMs: readonly [number, number];
}

/** Clocks run at most this much apart; the design allows 10 %. */
const DRIFT_MAX = 0.08;
const RATE_MIN = 0.92;
const DAY_MS = 24 * HOUR_MS;
const WALL_OFFSETS_MS = [-600_000, -30_000, -3_000, -50, 0, 0, 0, 50, 3_000, 30_000, 600_000];

/** Draws a cluster; about half of its limits are tiny. */
export function drawShape(random: Random): ClusterShape {
  const storeCount = random.nextInt(3) === 0 ? 5 : 3;
  const clientCount = 2 + random.nextInt(3);
  const shape: ClusterShape = {
    storeCount,
    replicaCount: storeCount === 5 && random.nextInt(2) === 0 ? 5 : 3,
    regionCount: 1 + random.nextInt(4),
    clientCount,
    callTimeoutMs: oneOf(random, [1_000, 2_500, 6_000]),
    // Five Stores send three times as many messages for a write.
    pauseMaxMs: (storeCount === 5 ? 2 : 1) * oneOf(random, [200, 500, 1_200]),
    clocks: drawClocks(random, storeCount + 1 + clientCount),
    limits: drawLimits(random),
    latencyMs: oneOf(random, [
      [0.1, 1],
      [0.5, 2],
      [1, 12],
    ]),
    syncMs: oneOf(random, [
      [0.1, 0.5],
      [0.5, 4],
      [2, 12],
    ]),
  };
  const snapshotResumeMs = oneOf(random, [0, 1_000, 60_000]);
  // About as often as a run has seconds, or never within one.
  const replicaCheckIntervalMs = oneOf(random, [1_000, 8_000, DAY_MS, DAY_MS]);
  // Few clients have few writes outstanding.
  const roundMinCount = oneOf(random, [1, 2, 16]);
  return { ...shape, replicaCheckIntervalMs, limits: { ...shape.limits, snapshotResumeMs, roundMinCount } };
}

/** All inside a window of the drift that is allowed, somewhere around the exact rate; some at its ends. */
function drawClocks(random: Random, count: number): ClockShape[] {
  const slowest = RATE_MIN + random.nextFraction() * (1 - RATE_MIN);
  const ends = [0, random.nextFraction(), random.nextFraction(), 1];
  return Array.from({ length: count }, () => ({
    rate: slowest * (1 + DRIFT_MAX * oneOf(random, ends)),
    wallOffsetMs: oneOf(random, WALL_OFFSETS_MS),
  }));
}

function drawLimits(random: Random): Limits {
  const entryMaxBytes = oneOf(random, [1, 64, 4_096]);
  return {
    logGcMaxEntries: oneOf(random, [10, 10, 40, 1_000]),
    logGcMaxBytes: oneOf(random, [2_000, 20_000, 10_000_000]),
    logGcCheckIntervalMs: oneOf(random, [50, 200, 1_000]),
    snapshotChunkMaxBytes: oneOf(random, [1_024, 1_024, 65_536]),
    maxSizePerMessageBytes: oneOf(random, [1, 100, 65_536]),
    maxInflightMessages: oneOf(random, [1, 4, 256]),
    entryMaxBytes,
    proposalQueueMaxCount: oneOf(random, [4, 16_384]),
    readQueueMaxCount: oneOf(random, [4, 65_536]),
    entryCacheBytes: oneOf(random, [0, 500, 1_000_000]),
    hibernateAfterMs: oneOf(random, [0, 300, 1_000, 10_000]),
    slowDiskMs: oneOf(random, [300, 1_000]),
    leaseReads: random.nextInt(8) !== 0,
  };
}

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.nextInt(items.length)] as Item;
}

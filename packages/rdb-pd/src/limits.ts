import { MINUTE_MS, SECOND_MS } from "@flaredb/rdb-base";

/** The placement driver's own limits. What an operator may set stands in config.ts. */
export const pdLimits = {
  /** Between two keepalives of a Store (DESIGN §8). */
  keepaliveEveryMs: 2 * SECOND_MS,
  /** A Store that is silent for longer is Disconnected: three keepalives were lost. */
  storeDisconnectedAfterMs: 6 * SECOND_MS,
  /** PD looks at its own clock so often, */
  pulseEveryMs: 1 * SECOND_MS,
  /** and when it was away for longer, it blames no Store for the silence. */
  stalledAfterMs: 3 * SECOND_MS,
  /** A Store that is silent for longer is Down: its peers are to be replaced. */
  storeDownAfterMs: 30 * MINUTE_MS,
  /** Ids that are taken from the log at once, ahead of their use. */
  idLeaseCount: 1_000,
  /** Most ids of one AllocateIds. */
  allocateMaxCount: 10_000,
  /** Most Regions of one page of ListRegions, and the page's size when none is asked for. */
  listRegionsMaxCount: 1_000,
  /** Most initial Regions. */
  initialRegionMaxCount: 20_000,
  /** Most Stores, gone ones included. */
  storeMaxCount: 10_000,
  /** Most replicas of a Region. */
  replicaMaxCount: 9,
  addressMaxLength: 256,
  registrationTokenMaxLength: 128,
  labelMaxCount: 32,
  labelMaxLength: 128,
  versionMaxLength: 64,
  /** Commands that wait for PD's own log; past it callers get RDB_SERVER_IS_BUSY. */
  proposalMaxCount: 10_000,
  /** Bytes of PD's log between two cuts of it. */
  logCutAfterBytes: 4 * 1024 * 1024,
  /** Entries of PD's log between two cuts of it. */
  logCutAfterCount: 2_000,
  /** Commands that wait on one Store's heartbeat stream; all are repeated, so what does not fit is dropped. */
  streamQueueMaxCount: 40_000,
} as const;

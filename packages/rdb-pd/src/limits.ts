import { GiB, HOUR_MS, KiB, MINUTE_MS, MiB, SECOND_MS } from "@flaredb/rdb-base";

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
  /** Ids that are taken from the log at once, ahead of their use. */
  idLeaseCount: 1_000,
  /** Ids that are held for who cannot wait for the log; fetched anew when only half of them are left. */
  idReserveCount: 4_000,
  /** Most ids of one AllocateIds. */
  allocateMaxCount: 10_000,
  /** Most Regions of one page of ListRegions, and the page's size when none is asked for. */
  listRegionsMaxCount: 1_000,
  /** Most initial Regions. */
  initialRegionMaxCount: 20_000,
  /** Most Stores, gone ones included. */
  storeMaxCount: 10_000,
  /** Highest limit of one Store: peers that it takes in or gives away at a time. */
  storeLimitMaxCount: 10_000,
  /** Most replicas of a Region. */
  replicaMaxCount: 9,
  /** Most peers of a Region: both halves of a joint configuration, learners included. More is no Store's report. */
  peerMaxCount: 64,
  /** Most Regions that one Store may say it has peers of. */
  storeReportMaxCount: 500_000,
  /** Most bytes of a Region, and of what it is asked for in a second, that are believed: sums of them stay exact. */
  believedMaxBytes: 16 * 1024 * GiB,
  /** How far ahead of what is known an epoch or a term may be: those that are further are no Region's. */
  leapMax: 2 ** 32,
  addressMaxLength: 256,
  registrationTokenMaxLength: 128,
  labelMaxCount: 32,
  labelMaxLength: 128,
  versionMaxLength: 64,
  /** Of what a Store says of a refusal, as it is kept. */
  messageMaxLength: 1_024,
  /** Commands that wait for PD's own log; past it callers get RDB_SERVER_IS_BUSY. */
  proposalMaxCount: 10_000,
  /** Bytes of PD's log between two cuts of it. */
  logCutAfterBytes: 4 * 1024 * 1024,
  /** Entries of PD's log between two cuts of it. */
  logCutAfterCount: 2_000,
  /** Entries that are kept at a cut for members that lag; one that lags by more gets a snapshot. */
  logKeepCount: 1_000,
  /** A member looks at the room on its disk so often, */
  diskRoomEveryMs: 1 * SECOND_MS,
  /** and with less than this left hands leadership over: room for what its database writes on its own, several times. */
  fullDiskBytes: 32 * MiB,
  /** Most members of PD's own group, removed ones not counted. */
  memberMaxCount: 5,
  memberNameMaxLength: 63,
  /** The leader looks after its own group so often. */
  membersEveryMs: 500,
  /** A member without a vote gets it when it lacks at most so many entries. */
  promotionLagMaxCount: 100,
  /** Commands that wait on one Store's heartbeat stream; all are repeated, so what does not fit is dropped. */
  streamQueueMaxCount: 40_000,
  /** Operators that wait or run at a time; past it no further ones are taken. */
  operatorMaxCount: 50_000,
  /** The coordinator plans nothing while fewer ids are at hand, */
  planningMinIdCount: 1_000,
  /** and nobody makes a further decision about a Region while fewer are: one decision must not run out of them. */
  decisionMinIdCount: 500,
  /** A full patrol takes at least so long, however few Regions there are, */
  patrolRoundMinMs: 1 * SECOND_MS,
  /** and is to take at most so long, however many. */
  patrolRoundAimMs: 40 * SECOND_MS,
  /** Regions that changed and are to be checked out of turn; past it they wait for their turn. */
  changedRegionMaxCount: 100_000,
  /** A scheduler that planned something is asked again after so long; */
  schedulerMinIntervalMs: 200,
  /** one that did not, later and later, up to this. */
  schedulerMaxIntervalMs: 5 * SECOND_MS,
  /** After PD's start nothing is planned until all Stores reported, or this went by: two periods of their heartbeat. */
  reportsMaxWaitMs: 60 * SECOND_MS,
  /** Regions whose peers are asked to be compared at one moment. */
  replicaCheckMaxCount: 16,
  /** Keys of one split, and parts less one. */
  splitMaxCount: 64,
  /** Regions of one ScatterRegions. */
  scatterMaxCount: 1_000,
  /** Who may watch PD's events at a time. */
  eventReaderMaxCount: 32,
  /** Events that one of them may be behind before it is dropped. */
  eventQueueMaxCount: 10_000,
  /** Longest pause of a scheduler, when it is not for good. */
  pauseMaxMs: 30 * 24 * HOUR_MS,
  /** Begins and ends of operators in one command of PD's log. */
  recordMaxCount: 500,
  /** Steps of one operator. */
  operatorMaxSteps: 32,
  /** How long Stores have to say which peers they have. */
  surveyTimeoutMs: 15 * SECOND_MS,
  /** Regions of one recovery, empty ones that it makes among them; what is more takes another one after it. */
  recoveryMaxCount: 5_000,
  /** Regions in one order to a Store. */
  recoveryOrderMaxCount: 100,
  /** A Store that has not said how its orders ended is ordered again after so long. */
  recoveryRepeatAfterMs: 2 * SECOND_MS,
  /** Of the name of a plan to recover Regions. */
  fingerprintMaxLength: 64,
  /** Recoveries that are remembered, durably. */
  recoveryHistoryMaxCount: 16,
  /** Operators that ended and are remembered, durably. */
  operatorHistoryMaxCount: 1_000,
  /** Operators are looked at so often, besides at each report of their Region. */
  operatorTickMs: 500,
  /** A command that no report shows and no refusal answers is said again after so long. */
  commandRepeatAfterMs: 2 * SECOND_MS,
  /** An operator that found no place in its Stores' limits is given up after so long. */
  waitingMaxMs: 10 * MINUTE_MS,
  /** A step that only needs an entry of the Region's log. */
  fastStepTimeoutMs: 60 * SECOND_MS,
  /** A step that waits for a peer to get the Region's data, and for that data at least this rate. */
  slowStepTimeoutMs: 120 * SECOND_MS,
  catchUpMinBytesPerSecond: 256 * KiB,
  /** All steps of an operator together. */
  operatorMaxMs: 6 * HOUR_MS,
} as const;

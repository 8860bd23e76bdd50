// What PD's admin API answers with. Written by `npm run docs:admin` from its schemas; never edited by hand.

export interface Begun {
  /** None for a Region that lies well already. */
  readonly operators: readonly (Operator)[];
}

/** The cluster, as `rdb cluster status --json` has it. */
export interface Cluster {
  /** A number of up to 16 digits, as text, as `rdb cluster status --json` has it. */
  readonly clusterId: string;
  readonly healthy: boolean;
  /** In sentences; none when all is well. */
  readonly problems: readonly (string)[];
  /** The same problems, with what to do about each. */
  readonly findings: readonly ({
    readonly kind: "waiting-for-stores" | "silent-stores" | "leaderless-regions" | "full-disks" | "damaged-peers" | "down-peers" | "silent-members";
    /** bad: somebody is not served, or soon not; warn: one more loss would be bad. */
    readonly level: "bad" | "warn";
    readonly message: string;
    /** What to do about it. */
    readonly advice: string;
  })[];
  /** Whether the initial Regions were placed. */
  readonly bootstrapped: boolean;
  /** So many Stores must register before they are. */
  readonly bootstrapStoreCount: number;
  readonly registeredStoreCount: number;
  readonly upStoreCount: number;
  readonly regionCount: number;
  readonly regionWithLeaderCount: number;
  readonly programVersion: string;
  /** What all Stores and members know. Newer commands wait for it. */
  readonly clusterVersion: number;
  /** The newest that the leading member's program knows. */
  readonly newestClusterVersion: number;
  /** Whom the newest waits for, in sentences; none when it is reached. */
  readonly clusterVersionWaitsFor: readonly (string)[];
  readonly members: readonly (Member)[];
}

/** Rows in the order of their keys. A page ends with its Region: it may be short, and empty where many Regions are. */
export interface DataPage {
  readonly rows: readonly ({
    readonly key: string;
    readonly keyHex: string;
    readonly version: number;
    /** Of the whole value. */
    readonly sizeBytes: number;
    /** The value, of several rows its first 2048 bytes, as base64. */
    readonly valueBase64: string;
  })[];
  /** `startKey` of the next page; null: that was all. */
  readonly nextKey: string | null;
  readonly nextKeyHex: string | null;
  /** Whether rows can be put and deleted here: PD's setting `dataAccess`. */
  readonly isWritable: boolean;
}

/** As `rdb operator explain --json` has it. */
export interface Explanation {
  /** Name of a checker or scheduler. */
  readonly source: string;
  /** Whether it would plan an operator now. */
  readonly acts: boolean;
  /** What it would do, or why it does nothing. */
  readonly summary: string;
  readonly ruledOut: readonly ({
    readonly storeId: number;
    /** A stable word, as `down`, `same-host`, `limit`, `has-peer`. */
    readonly filter: string;
    readonly reason: string;
  })[];
}

export interface Explanations {
  readonly explanations: readonly (Explanation)[];
}

/** What all Stores together served, with how long that took in the Stores, without the network. */
export interface Flows {
  /** The oldest first, at most 600. */
  readonly points: readonly ({
    readonly timeMs: number;
    readonly readsPerSecond: number;
    readonly writesPerSecond: number;
    /** Half were answered within; null: there were none. */
    readonly readP50Ms: number | null;
    /** 99 of 100 were answered within. */
    readonly readP99Ms: number | null;
    readonly writeP50Ms: number | null;
    readonly writeP99Ms: number | null;
  })[];
}

/** What the key space was asked for over time. Cold neighbours share a bucket. */
export interface HeatMap {
  readonly kind: "writtenBytes" | "writtenKeys" | "readBytes" | "readKeys";
  /** The oldest first. */
  readonly columns: readonly ({
    readonly startMs: number;
    readonly endMs: number;
  })[];
  /** Where each bucket begins, and last where the last one ends: empty for the end of the key space. */
  readonly edges: readonly ({
    readonly key: string;
    readonly keyHex: string;
  })[];
  /** By column, then by bucket; a second. */
  readonly values: readonly (readonly (number)[])[];
}

export interface HotRegions {
  readonly by: "writtenBytes" | "writtenKeys" | "readBytes" | "readKeys";
  /** The hottest first; idle ones are left out. */
  readonly regions: readonly (Region)[];
}

export interface KeySpaceCheck {
  /** The Regions tile the key space. */
  readonly isSound: boolean;
  readonly regionCount: number;
  readonly flawCount: number;
  /** The first 1000. */
  readonly flaws: readonly (KeySpaceFlaw)[];
}

/** Keys that no Region holds, or two. */
export interface KeySpaceFlaw {
  readonly kind: "hole" | "overlap";
  readonly startKey: string;
  readonly startKeyHex: string;
  /** Empty: to the end of the key space. */
  readonly endKey: string;
  readonly endKeyHex: string;
  /** null: none is to its left. */
  readonly leftRegionId: number | null;
  /** null: none is to its right. */
  readonly rightRegionId: number | null;
}

export interface LabelChange {
  /** Set, or with an empty value taken away. Labels that are not named stay. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface LeaderTransfer {
  readonly toMemberId: number;
}

export interface LimitChange {
  /** null: as all Stores, by the settings storeAddLimit and storeRemoveLimit. Absent: as it is. */
  readonly addLimit?: number | null;
  /** null: as all Stores, by the settings storeAddLimit and storeRemoveLimit. Absent: as it is. */
  readonly removeLimit?: number | null;
}

export interface Live {
  readonly status: "live";
}

/** A member of the placement driver, as `rdb pd members --json` has it. */
export interface Member {
  readonly id: number;
  readonly name: string;
  /** host:port of its RPC endpoint. */
  readonly address: string;
  /** host:port of its HTTP endpoint; empty while it never ran. */
  readonly httpAddress: string;
  readonly isLeader: boolean;
  /** It has no vote: a new member, until it has what the others have. */
  readonly isLearner: boolean;
  /** The leader heard of it within its last election timeout. */
  readonly isUp: boolean;
  /** The newest that its program knows; 0 while it has not said. */
  readonly clusterVersion: number;
}

export interface MemberList {
  readonly members: readonly (Member)[];
}

export interface Merge {
  /** The neighbour that takes it. Default: the smaller one. */
  readonly targetRegionId?: number;
}

export interface NewMember {
  readonly name: string;
  /** host:port of its RPC endpoint. */
  readonly address: string;
}

/** A change of one Region in steps, as `rdb operator show --json` has it. */
export interface Operator {
  readonly id: number;
  /** What it is for, as `move-peer`, `split`, `replace-down-peer`. */
  readonly kind: string;
  /** Who wants it: `admin`, or the name of a checker or scheduler. */
  readonly origin: string;
  readonly regionId: number;
  /** waiting: for its place in a Store's limit. The last ones are the ways to end. */
  readonly state: "waiting" | "running" | "done" | "cancelled" | "timed out" | "unknown";
  readonly steps: readonly ({
    readonly kind: string;
    readonly text: string;
    readonly startedMs: number;
    readonly endedMs: number;
  })[];
  /** Place in `steps`; their count once all are done. */
  readonly currentStep: number;
  readonly createdMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
  /** Of what did not end well: a stable word, as `epoch-changed`, `store-down`, `by-admin`. */
  readonly endReason: string;
  readonly endMessage: string;
  /** Why it was planned, with the figures that spoke for it. */
  readonly motive: string;
}

export interface OperatorList {
  readonly operators: readonly (Operator)[];
}

export interface Pause {
  /** Default: until it is resumed. */
  readonly durationMs?: number;
}

/** One copy of a Region. */
export interface Peer {
  readonly id: number;
  readonly storeId: number;
  readonly role: "voter" | "learner" | "incoming voter" | "demoting voter" | "unknown";
}

/** How far one peer is, as its own Store says. */
export interface PeerProgress {
  readonly id: number;
  readonly storeId: number;
  readonly role: "voter" | "learner" | "incoming voter" | "demoting voter" | "unknown";
  /** Why its Store said nothing of it, and the figures are 0; empty: it did. */
  readonly failure: string;
  readonly isLeader: boolean;
  /** The Region is idle, and its peers do without heartbeats. */
  readonly isAsleep: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Of the log that it keeps. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** null for the leader itself, and where no leader answered. */
  readonly asLeaderSees: {
    /** probe: it is looked for where the logs meet; replicate: entries flow; snapshot: it waits for one. */
    readonly state: string;
    /** The last entry that it is known to have. */
    readonly matchIndex: number;
    /** The next one that it is sent. */
    readonly nextIndex: number;
    /** Entries of the leader's log that it is not known to have. */
    readonly lagCount: number;
    /** Whether its Store is heard of. */
    readonly isAlive: boolean;
  } | null;
}

/** RFC 9457 problem details. */
export interface Problem {
  /** A page about the code, below this API. */
  readonly type: string;
  /** What the code means. */
  readonly title: string;
  /** The HTTP status again. */
  readonly status: number;
  /** What failed, with which value, and what to do. */
  readonly detail: string;
  /** Stable: match on this. See docs/errors.md. */
  readonly code: string;
  /** Each field that is wrong. */
  readonly errors?: readonly ({
    readonly field: string;
    readonly message: string;
  })[];
  /** The member of PD that leads, if this one does not and knows it. */
  readonly leader?: {
    readonly memberId: number;
    readonly address: string;
    readonly httpAddress: string;
  };
}

export interface Ready {
  readonly status: "serving" | "following";
  /** A number of up to 16 digits, as text. */
  readonly clusterId: string;
  readonly memberId: number;
  readonly leaderMemberId: number;
  readonly appliedIndex: number;
  readonly version: string;
}

/** A plan that is being, or was, carried out. */
export interface Recovery {
  readonly id: number;
  readonly state: "running" | "done" | "cancelled" | "unknown";
  readonly lostStoreIds: readonly (number)[];
  readonly steps: readonly (RecoveryStep)[];
  readonly lostRanges: readonly ({
    readonly startKey: string;
    /** Empty: no bound. */
    readonly endKey: string;
    readonly reason: string;
  })[];
  readonly emptyRegions: readonly ({
    readonly id: number;
    readonly startKey: string;
    /** Empty: no bound. */
    readonly endKey: string;
  })[];
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface RecoveryBegin {
  /** All Stores that never come back. Every other one has to answer. */
  readonly lostStoreIds: readonly (number)[];
  /** Make empty Regions where no peer of a key range is left. */
  readonly createEmpty?: boolean;
  /** Of the plan that you saw. */
  readonly fingerprint: string;
}

export interface RecoveryList {
  readonly recoveries: readonly (Recovery)[];
}

/** As `rdb unsafe-recover --dry-run --json` has it. */
export interface RecoveryPlan {
  readonly lostStoreIds: readonly (number)[];
  readonly createEmpty: boolean;
  /** Regions with a quorum: they are left alone. */
  readonly healthyRegionCount: number;
  readonly steps: readonly (RecoveryStep)[];
  /** Of which nothing is left. */
  readonly lostRanges: readonly ({
    readonly startKey: string;
    /** Empty: no bound. */
    readonly endKey: string;
    readonly reason: string;
  })[];
  /** Without a quorum, and about to change: plan again afterwards. */
  readonly waiting: readonly ({
    readonly regionId: number;
    readonly reason: string;
  })[];
  /** Names the plan by what it does. */
  readonly fingerprint: string;
}

/** A Region without a quorum that comes back from one peer. */
export interface RecoveryStep {
  readonly regionId: number;
  readonly storeId: number;
  /** It becomes the only peer of the Region. */
  readonly peerId: number;
  readonly lastTerm: number;
  /** The last entry of its log. */
  readonly lastIndex: number;
  readonly appliedIndex: number;
  /** What it keeps: what no newer Region has. */
  readonly ranges: readonly ({
    readonly startKey: string;
    /** Empty: no bound. */
    readonly endKey: string;
  })[];
  readonly isLearner: boolean;
  /** It missed a split or merge: entries behind `appliedIndex` are dropped. */
  readonly dropsUnapplied: boolean;
  /** Other peers of it that survived, and go. */
  readonly droppedPeerCount: number;
  readonly state: "pending" | "done" | "refused" | "cancelled" | "unknown";
  /** Why it was refused. */
  readonly message: string;
}

export interface RecoveryWish {
  /** All Stores that never come back. Every other one has to answer. */
  readonly lostStoreIds: readonly (number)[];
  /** Make empty Regions where no peer of a key range is left. */
  readonly createEmpty?: boolean;
}

/** A Region, as `rdb region show --json` has it, with its keys in two forms. */
export interface Region {
  readonly id: number;
  /** Printable ASCII as it is, other bytes as \xNN, as `rdb region list` prints it. Empty: no bound. */
  readonly startKey: string;
  /** The same as hexadecimal digits. */
  readonly startKeyHex: string;
  /** The first key behind the Region. Empty: no bound. */
  readonly endKey: string;
  readonly endKeyHex: string;
  readonly epoch: {
    readonly confVer: number;
    readonly version: number;
  };
  readonly peers: readonly (Peer)[];
  /** null while none is known. */
  readonly leader: Peer | null;
  readonly term: number;
  readonly approximateSizeBytes: number;
  readonly approximateKeyCount: number;
  readonly downPeerIds: readonly (number)[];
  /** Peers that lag. */
  readonly pendingPeerIds: readonly (number)[];
  /** Peers whose rows differ from the leader's. */
  readonly damagedPeerIds: readonly (number)[];
  /** Up to this index the peers were compared last. */
  readonly verifiedIndex: number;
  readonly load: {
    readonly writtenBytesPerSecond: number;
    readonly writtenKeysPerSecond: number;
    readonly readBytesPerSecond: number;
    readonly readKeysPerSecond: number;
  };
  /** When its leader last reported. */
  readonly reportedMs: number;
}

/** With a filter a page may be short, even empty, and not be the last. */
export interface RegionPage {
  readonly regions: readonly (Region)[];
  /** `startKey` of the next page; null: that was all. */
  readonly nextKey: string | null;
  readonly nextKeyHex: string | null;
}

/** As `rdb region peers --json` has it. */
export interface RegionPeers {
  readonly peers: readonly (PeerProgress)[];
}

export interface RemovedMember {
  readonly id: number;
  readonly isRemoved: true;
}

export interface ReplicaCheck {
  readonly verifiedIndexBefore: number;
}

export interface Row {
  /** A key: printable ASCII as it is, every other byte and the backslash as \xNN. */
  readonly key?: string;
  /** A key as hexadecimal digits. */
  readonly keyHex?: string;
  /** As text, which is kept as UTF-8. */
  readonly value?: string;
  /** The same as hexadecimal digits. */
  readonly valueHex?: string;
  /** Only if the row has this version; 0: only if there is none. Default: whatever there is. */
  readonly expectVersion?: number;
}

export interface RowChange {
  /** Whether the row was changed: false where it is not as expected, or there was none to delete. */
  readonly succeeded: boolean;
  /** Of the row after it: the new one, or the one that was met; 0: there is no row. */
  readonly version: number;
}

export interface Scatter {
  /** To be placed as if they were new. */
  readonly regionIds: readonly (number)[];
}

/** A scheduler or checker, as `rdb scheduler list --json` has it. */
export interface Scheduler {
  readonly name: string;
  /** It repairs single Regions; not every checker can be paused. */
  readonly isChecker: boolean;
  readonly isPaused: boolean;
  /** 0: until it is resumed. */
  readonly pausedUntilMs: number;
  /** Operators of it that wait or run. */
  readonly runningCount: number;
  /** Operators of it that ended well since PD's start. */
  readonly doneCount: number;
  /** Why it plans nothing, or what it planned. */
  readonly lastWord: string;
}

export interface SchedulerList {
  readonly schedulers: readonly (Scheduler)[];
}

/** A setting of placement, as `rdb scheduler config --json` has it. */
export interface Setting {
  readonly name: string;
  /** As text; lists with commas. */
  readonly value: string;
  /** What PD was started with. */
  readonly defaultValue: string;
  readonly description: string;
}

export interface SettingChange {
  /** By name; all are set, or none. An empty text goes back to what PD was started with. */
  readonly values: Readonly<Record<string, string | number | boolean | readonly (string)[]>>;
}

export interface Settings {
  readonly settings: readonly (Setting)[];
}

/** null where the key space ends, or a neighbour is just changing its range. */
export interface Siblings {
  readonly left: Region | null;
  readonly right: Region | null;
}

export interface Split {
  /** Where to cut, in any order. Without keys: into parts of about equal size. */
  readonly keys?: readonly (string)[];
  /** The same as hexadecimal digits. */
  readonly keysHex?: readonly (string)[];
  /** Without keys: how many parts. Default: two. */
  readonly partCount?: number;
}

/** A Store, as `rdb store show --json` has it. Its figures are absent until it has told them. */
export interface Store {
  readonly id: number;
  /** host:port of its RPC endpoint. */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  /** draining: it is being decommissioned and answers; tombstone: gone for good, its id is never used again. */
  readonly state: "up" | "disconnected" | "down" | "draining" | "tombstone" | "unknown";
  readonly labels: Readonly<Record<string, string>>;
  readonly programVersion: string;
  /** The newest that its program knows; 0 while it has not said. */
  readonly clusterVersion: number;
  readonly lastHeartbeatMs: number;
  readonly startedMs: number;
  readonly regionCount: number;
  readonly leaderCount: number;
  /** It hands its leaderships away and gets none. */
  readonly evictsLeaders: boolean;
  /** Approximate, of all its Regions. */
  readonly regionSizeBytes: number;
  readonly capacityBytes?: number;
  readonly availableBytes?: number;
  readonly usedBytes?: number;
  readonly limits: StoreLimits;
  readonly isSlow: boolean;
  readonly isFull: boolean;
  readonly residentMemoryBytes?: number;
  readonly putCount?: number;
  readonly getCount?: number;
}

export interface StoreLimits {
  /** Peers that it takes in at a time. */
  readonly addLimit: number;
  /** Peers that it gives away at a time. */
  readonly removeLimit: number;
  /** Whether that was set for this Store alone. */
  readonly isOwnAddLimit: boolean;
  readonly isOwnRemoveLimit: boolean;
  /** Peers that operators move to it now, or wait to move. */
  readonly addingCount: number;
  /** The same for peers that they take away from it. */
  readonly removingCount: number;
}

export interface StoreList {
  readonly stores: readonly (Store)[];
}

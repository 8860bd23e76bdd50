import { byteBuckets, countBuckets, latencyBuckets } from "./buckets.ts";
import { counter, counterBy, gauge, gaugeBy, histogram, histogramBy, maybe } from "./definition.ts";

/** The kinds of a client's request, as their answers are named. */
export const requestKinds = [
  "get",
  "batchGet",
  "scan",
  "put",
  "batchPut",
  "delete",
  "batchDelete",
  "deleteRange",
  "compareAndSwap",
  "compareAndDelete",
  "conditionalBatch",
] as const;

/** Why a request was not carried out, as refusals are named. */
export const refusalReasons = [
  "notLeader",
  "epochNotMatch",
  "regionNotFound",
  "keyNotInRegion",
  "staleCommand",
  "serverIsBusy",
  "storeNotMatch",
  "invalidArgument",
  "diskFull",
  "dataCorrupt",
  "requestExpired",
  "sequenceClosed",
  "other",
] as const;

/** Messages between peers, by what they are for. */
export const messageKinds = [
  "append",
  "append_response",
  "heartbeat",
  "heartbeat_response",
  "vote",
  "vote_response",
  "pre_vote",
  "pre_vote_response",
  "read_index",
  "read_index_response",
  "transfer",
  "hibernate",
  "snapshot",
  "other",
] as const;

/** Of a Store: its Raft groups, its clients, its disk. */
export const storeTable = {
  // Clients.
  requestLatency: histogramBy(
    "flaredb_store_request_latency_seconds",
    "From a request's arrival at the loop to its answer, by kind; refused ones are not among them.",
    latencyBuckets,
    { label: "kind", values: requestKinds },
  ),
  refusals: counterBy(
    "flaredb_store_refused_requests_total",
    "Requests that were answered with a refusal, by its reason. notLeader and epochNotMatch put clients right.",
    "reason",
    refusalReasons,
  ),
  slowRequests: counter(
    "flaredb_store_slow_requests_total",
    "Requests that took longer than slowRequestMs; the log has some of them with where the time went.",
  ),
  requestsPending: gaugeBy(
    "flaredb_store_pending_requests",
    "Requests that wait at the peers of this Store: writes to be proposed or applied, reads to be served.",
    "kind",
    ["write", "read"],
  ),

  // Proposals and the log.
  proposals: counterBy(
    "flaredb_store_proposals_total",
    "Writes that came to a leader, by what became of them: applied; refused before they were in the log; replaced by another leader's entry; unknown, because time ran out or the peer stopped.",
    "outcome",
    ["applied", "refused", "replaced", "unknown"],
  ),
  commitLatency: histogram(
    "flaredb_store_commit_latency_seconds",
    "From a leader's proposal of an entry until it is committed, and durable here.",
    latencyBuckets,
  ),
  applyLatency: histogram(
    "flaredb_store_apply_latency_seconds",
    "Time on the loop to apply what was committed at once, until its answers are given.",
    latencyBuckets,
  ),
  appendLatency: histogram(
    "flaredb_store_append_latency_seconds",
    "From handing a part of a Raft log to the writer until it is durable, with the wait for other parts.",
    latencyBuckets,
  ),
  entryRequests: histogram(
    "flaredb_store_entry_requests",
    "Requests that share one entry of a Raft log.",
    countBuckets,
  ),
  appendEntries: histogram(
    "flaredb_store_append_entries",
    "Entries in one part of a Raft log that goes to the disk.",
    countBuckets,
  ),
  applyEntries: histogram("flaredb_store_apply_entries", "Entries that are applied at once.", countBuckets),

  // The writer and its disk.
  syncLatency: histogram(
    "flaredb_store_sync_latency_seconds",
    "Time of one synced write of the database, fsync included, as the writer's thread sees it.",
    latencyBuckets,
  ),
  passLatency: histogram(
    "flaredb_store_write_pass_latency_seconds",
    "Time of one pass of the writer, with or without sync, as the loop sees it.",
    latencyBuckets,
  ),
  passParts: histogram(
    "flaredb_store_write_pass_parts",
    "Parts of all Regions that share one pass of the writer.",
    countBuckets,
  ),
  passBytes: histogram("flaredb_store_write_pass_bytes", "Bytes of one pass of the writer.", byteBuckets),
  unwritten: gauge("flaredb_store_unwritten_bytes", "Bytes that wait for the writer or are with it."),
  slowDisk: gauge("flaredb_store_disk_slow", "1 while the disk is slow and leaderships are handed over."),
  fullDisk: gauge("flaredb_store_disk_full", "1 while the Store refuses writes for want of disk space."),
  diskFree: gauge("flaredb_store_disk_free_bytes", "What the data folder's file system has left."),
  diskCapacity: gauge("flaredb_store_disk_capacity_bytes", "Size of the data folder's file system."),

  // Raft.
  messagesSent: counterBy(
    "flaredb_store_raft_messages_sent_total",
    "Messages that were queued for other Stores, by kind.",
    "kind",
    messageKinds,
  ),
  messagesDropped: counterBy(
    "flaredb_store_raft_messages_dropped_total",
    "Messages that were not queued because a queue was full or the other Store was away, by kind. Raft makes up for them.",
    "kind",
    messageKinds,
  ),
  messagesReceived: counterBy(
    "flaredb_store_raft_messages_received_total",
    "Messages of other Stores that came to the loop, by kind.",
    "kind",
    messageKinds,
  ),
  messageBatch: histogram(
    "flaredb_store_raft_batch_messages",
    "Messages that leave for another Store together.",
    countBuckets,
  ),
  raftInFlight: gauge(
    "flaredb_store_raft_in_flight_bytes",
    "Bytes of entries that leaders here have sent and that are not acknowledged.",
  ),
  elections: counterBy(
    "flaredb_store_elections_total",
    "Elections of peers here: asked beforehand (pre-vote), started, won.",
    "stage",
    ["pre_vote", "started", "won"],
  ),
  leaderChanges: counter(
    "flaredb_store_leader_changes_total",
    "How often peers here learned of another leader than before.",
  ),
  silentStores: counter("flaredb_store_silent_stores_total", "How often another Store fell silent."),

  // Regions.
  regions: gaugeBy("flaredb_store_regions", "Peers of Regions on this Store, by their role.", "role", [
    "leader",
    "follower",
    "learner",
    "uninitialised",
  ]),
  regionsAsleep: gauge(
    "flaredb_store_regions_hibernated",
    "Peers that sleep, because nobody asks anything of them.",
  ),
  regionsHalted: gauge("flaredb_store_regions_halted", "Peers that stopped because they could not go on."),
  regionsDamaged: gauge("flaredb_store_regions_damaged", "Peers whose rows were found to be wrong."),
  regionsMerging: gauge("flaredb_store_regions_merging", "Peers that wait to be taken by a neighbour."),
  regionsInstalling: gauge(
    "flaredb_store_regions_installing",
    "Peers that are being filled from a snapshot.",
  ),
  regionsTroubled: gaugeBy(
    "flaredb_store_led_regions_with_trouble",
    "Regions led here of which a peer is down, far behind (pending), or damaged.",
    "trouble",
    ["down_peer", "pending_peer", "damaged_peer"],
  ),
  largestRegion: gauge("flaredb_store_led_region_max_bytes", "The largest of the Regions led here, about."),
  regionBytes: gauge("flaredb_store_region_bytes", "Approximate bytes of all Regions that have a peer here."),
  splits: counter("flaredb_store_splits_total", "Regions that were split here, leaders and followers."),
  merges: counter("flaredb_store_merges_total", "Regions that were taken by their neighbours here."),

  // Reads.
  reads: counterBy(
    "flaredb_store_reads_total",
    "Reads by what let them be served: the leader's lease, a round of ReadIndex, or a follower's round.",
    "path",
    ["lease", "read_index", "follower"],
  ),
  readRounds: counter(
    "flaredb_store_read_index_rounds_total",
    "Rounds of ReadIndex, each for all reads that waited.",
  ),

  // Snapshots.
  snapshotBytes: counterBy("flaredb_store_snapshot_bytes_total", "Bytes of snapshots' chunks.", "direction", [
    "sent",
    "received",
  ]),
  snapshots: counterBy("flaredb_store_snapshots_total", "Snapshots that ended, by how.", "outcome", [
    "sent",
    "not_sent",
    "received",
    "not_received",
  ]),
  snapshotsRunning: gaugeBy("flaredb_store_snapshots_running", "Snapshots on their way.", "direction", [
    "sending",
    "waiting",
    "receiving",
  ]),

  // RocksDB.
  rocksWal: gauge("flaredb_store_rocksdb_wal_bytes", "RocksDB's write-ahead log on disk."),
  rocksTables: gauge("flaredb_store_rocksdb_table_bytes", "RocksDB's table files on disk."),
  rocksTableFiles: gauge("flaredb_store_rocksdb_table_files", "Number of RocksDB's table files on disk."),
  rocksRunning: gaugeBy(
    "flaredb_store_rocksdb_background_jobs",
    "Flushes and compactions that run now.",
    "kind",
    ["flush", "compaction"],
  ),
  rocksErrors: gauge("flaredb_store_rocksdb_background_errors", "Flushes and compactions that failed."),
  rocksStopped: gauge(
    "flaredb_store_rocksdb_write_stopped",
    "1 while RocksDB makes writers wait for flushes or compactions.",
  ),
  rocksDelayed: maybe(
    "RocksDB does not say",
    gauge(
      "flaredb_store_rocksdb_delayed_write_bytes",
      "Bytes a second that RocksDB slows writers down to; 0: it does not.",
    ),
  ),
  pdConnected: gauge("flaredb_store_pd_connected", "1 while the stream to the placement driver stands."),
};

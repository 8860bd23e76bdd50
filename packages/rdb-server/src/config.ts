import { GiB, HOUR_MS, KiB, MINUTE_MS, MiB, RdbError, SECOND_MS } from "@flaredb/rdb-base";
import { z } from "zod";
import { describeIssue } from "./config-issue.ts";

const byteCount = (atLeast: number, atMost: number) => z.int().min(atLeast).max(atMost);
const milliseconds = (atLeast: number, atMost = HOUR_MS) => z.int().min(atLeast).max(atMost);
const port = z.int().min(0).max(65_535);
const hostAndPort = z.string().regex(/^(\[[0-9A-Fa-f:]+\]|[^:\s/]+):\d{1,5}$/, "must be HOST:PORT");

/** One peer's Raft core and what waits in front of it. */
const raftSchema = z.strictObject({
  /** Most bytes of entries in one MsgApp; one entry may be larger by itself. */
  maxSizePerMessageBytes: byteCount(1, 16 * MiB).default(1 * MiB),
  /** Most MsgApp in flight to one follower. */
  maxInflightMessages: z.int().min(1).max(65_536).default(256),
  /** Most bytes of entries in flight to one follower. */
  maxInflightBytes: byteCount(1, 1 * GiB).default(16 * MiB),
  /** Most bytes of proposals at a leader that are not committed yet; past it `ServerIsBusy`. */
  maxUncommittedBytes: byteCount(1, 1 * GiB).default(64 * MiB),
  /** Waiting proposals are folded into one entry up to this; one proposal may be larger by itself. */
  entryMaxBytes: byteCount(1, 16 * MiB).default(1 * MiB),
  /** Most proposals that wait at one peer; past it `ServerIsBusy`. */
  proposalQueueMaxCount: z.int().min(1).max(1_000_000).default(16_384),
  /** Most bytes of proposals that wait at one peer; past it `ServerIsBusy`. */
  proposalQueueMaxBytes: byteCount(1, 1 * GiB).default(64 * MiB),
  /** Most reads that wait at one peer; past it `ServerIsBusy`. */
  readQueueMaxCount: z.int().min(1).max(1_000_000).default(65_536),
});

/** What one Region remembers of clients' writes, so that each is applied once; past it `ServerIsBusy` at its leader. */
const sessionsSchema = z.strictObject({
  /** Writes whose clients have not said that they are done with them, and clients. */
  maxCount: z.int().min(1).max(10_000_000).default(200_000),
  /** Their rows on disk. */
  maxBytes: byteCount(1 * KiB, 16 * GiB).default(64 * MiB),
});

/** When a leader proposes to cut the log. */
const logGcSchema = z.strictObject({
  /** Past this many entries a laggard is left behind and gets a snapshot. */
  maxEntries: z.int().min(1).max(10_000_000).default(50_000),
  /** Past this many bytes a laggard is left behind and gets a snapshot. */
  maxBytes: byteCount(1, 16 * GiB).default(128 * MiB),
  /** How often a leader looks. */
  checkIntervalMs: milliseconds(10).default(10 * SECOND_MS),
});

/** What waits for the way to one other Store; past it messages are dropped, which Raft tolerates. */
const transportSchema = z.strictObject({
  /** Appends and their answers. */
  bulkQueueMaxBytes: byteCount(1 * MiB, 4 * GiB).default(64 * MiB),
  /** Votes, heartbeats and ReadIndex, which have a connection of their own. */
  urgentQueueMaxBytes: byteCount(64 * KiB, 1 * GiB).default(8 * MiB),
});

const snapshotSchema = z.strictObject({
  /** Most snapshots that this Store sends at once; more wait. */
  sendMaxCount: z.int().min(1).max(64).default(4),
  /** Most snapshots that wait to be sent; past it one fails at once, and Raft asks again. */
  sendQueueMaxCount: z.int().min(0).max(10_000).default(64),
  /** Most snapshots that this Store receives at once; more are refused, and Raft asks again. */
  receiveMaxCount: z.int().min(1).max(64).default(4),
  /** Largest chunk on the wire and in the file. */
  chunkMaxBytes: byteCount(1 * KiB, 4 * MiB).default(1 * MiB),
  /** A stream of which nothing was heard for this long counts as broken, on both sides. */
  stallTimeoutMs: milliseconds(100).default(30 * SECOND_MS),
  /** A transfer that broke, or found no place, goes on within this time of getting no further, or begins anew. */
  resumeTimeoutMs: milliseconds(0).default(1 * MINUTE_MS),
  /** All snapshots that this Store sends, and all that it receives, each; 0: no limit. */
  maxBytesPerSecond: byteCount(0, 16 * GiB).default(100 * MiB),
});

/** RocksDB's memory. */
const engineSchema = z.strictObject({
  /** Uncompressed blocks of all column families. */
  blockCacheBytes: byteCount(1 * MiB, 1024 * GiB).default(64 * MiB),
  /** All memtables of `data`, which takes the values. */
  dataMemtableBytes: byteCount(256 * KiB, 4 * GiB).default(32 * MiB),
  /** All memtables of `raft_log`. */
  logMemtableBytes: byteCount(256 * KiB, 4 * GiB).default(16 * MiB),
});

const diskSchema = z.strictObject({
  /** Size of the file that is deleted to have room to start on a full disk; 0: none. */
  reserveBytes: byteCount(0, 64 * GiB).default(32 * MiB),
  /** With less than this available the Store refuses writes and snapshots. */
  fullDiskBytes: byteCount(0, 1024 * GiB).default(256 * MiB),
});

/** How this Store speaks to the placement driver. */
const pdSchema = z.strictObject({
  /** A keepalive on the stream of Region heartbeats; it decides whether the Store counts as up. */
  keepaliveIntervalMs: milliseconds(10).default(2 * SECOND_MS),
  /** The heartbeat with health and all Regions. */
  storeHeartbeatIntervalMs: milliseconds(10).default(30 * SECOND_MS),
  /** One unary call, at most. */
  callTimeoutMs: milliseconds(10).default(5 * SECOND_MS),
});

/** What a Store's streams and unary methods take on. */
const rpcSchema = z.strictObject({
  /** Most unanswered requests of one stream; past it `ServerIsBusy`. */
  streamMaxPendingCount: z.int().min(1).max(1_000_000).default(16_384),
  /** Deadline of a unary call that names none. */
  unaryTimeoutMs: milliseconds(1, 10 * MINUTE_MS).default(10 * SECOND_MS),
});

const fields = z.strictObject({
  /** The address to listen on. Beyond loopback only with `insecure`. */
  host: z.string().min(1).default("127.0.0.1"),
  /** The RPC port; 0 takes a free one. */
  port: port.default(7410),
  /** The HTTP port (health); 0 takes a free one. */
  httpPort: port.default(7420),
  /** The Store's data. Made when it is not there. */
  dataDir: z.string().min(1),
  /** The placement driver's members, HOST:PORT each. */
  pdAddresses: z.array(hostAndPort).min(1).max(15).default(["127.0.0.1:7400"]),
  /** HOST:PORT at which others reach this Store. Default: `host` and the port listened on. */
  advertiseAddress: hostAndPort.optional(),
  /** The local address of outgoing connections. Default: the system's choice. */
  outgoingHost: z.string().min(1).optional(),
  /** For placement, such as host or zone. */
  labels: z.record(z.string().min(1).max(63), z.string().min(1).max(253)).default({}),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  /** Listen beyond loopback though nothing is encrypted. */
  insecure: z.boolean().default(false),

  /** Length of a tick. */
  tickMs: milliseconds(1, 10 * SECOND_MS).default(50),
  /** Ticks between a leader's heartbeats. */
  heartbeatTicks: z.int().min(1).max(1_000).default(2),
  /** Ticks without a leader's contact before an election; the drawn timeout is one to two times this. */
  electionTicks: z.int().min(2).max(10_000).default(20),
  /** A leader may read without asking this long after a quorum's contact was sent. */
  leaseMs: milliseconds(1).default(800),
  /** Off: every read asks a quorum. For hosts that may be suspended. */
  leaseReads: z.boolean().default(true),
  /** A pass of the writer that takes longer: leaderships are handed away. At twice that, heartbeats stop. */
  slowDiskMs: milliseconds(1).default(1 * SECOND_MS),
  /** A Region without requests for this long sleeps; 0: never. */
  hibernateAfterMs: milliseconds(0, 24 * HOUR_MS).default(10 * SECOND_MS),
  /** A Store that was not heard of for this long counts as silent. */
  storeSilentMs: milliseconds(10).default(2 * SECOND_MS),
  /** A peer that hears of no leader for this long asks the others, and PD, whether it was removed. */
  stalePeerMs: milliseconds(100).default(5 * MINUTE_MS),
  /** A sign of life is sent to another Store when nothing else was for this long. */
  livenessIntervalMs: milliseconds(1).default(500),

  /** Entries of all peers kept in memory. */
  entryCacheBytes: byteCount(0, 16 * GiB).default(64 * MiB),
  /** Past this many submitted and not yet written bytes, apply pauses. */
  unwrittenMaxBytes: byteCount(1 * MiB, 16 * GiB).default(128 * MiB),

  /** A Region that grew to this size is split into halves. */
  regionSplitSizeBytes: byteCount(1, 1024 * GiB).default(96 * MiB),
  /** A Region of which more keys a second are read and written is split where its load is; 0: none is. */
  splitQps: z.int().min(0).max(1_000_000_000).default(100_000),

  raft: raftSchema.prefault({}),
  sessions: sessionsSchema.prefault({}),
  logGc: logGcSchema.prefault({}),
  transport: transportSchema.prefault({}),
  snapshot: snapshotSchema.prefault({}),
  engine: engineSchema.prefault({}),
  disk: diskSchema.prefault({}),
  pd: pdSchema.prefault({}),
  rpc: rpcSchema.prefault({}),
});

/**
 * Room for clocks that drift 10 % apart: a lease, measured on the slower clock, must end before the earliest
 * election, which may come one tick early on the faster one.
 */
const LEASE_DRIFT_FACTOR = 1.1;

/** How long a transfer waits for its next chunk when all of them share the bandwidth. */
function chunkTurnMs(snapshot: z.output<typeof snapshotSchema>): number {
  const { sendMaxCount, receiveMaxCount, chunkMaxBytes, maxBytesPerSecond } = snapshot;
  const atOnceBytes = Math.max(sendMaxCount, receiveMaxCount) * chunkMaxBytes;
  return maxBytesPerSecond === 0 ? 0 : (atOnceBytes * SECOND_MS) / maxBytesPerSecond;
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

const schema = fields
  .refine((config) => config.insecure || loopback.test(config.host), {
    path: ["host"],
    error: "is reachable from elsewhere and nothing is encrypted: give --insecure to allow it",
  })
  .refine((config) => config.electionTicks > config.heartbeatTicks, {
    path: ["electionTicks"],
    error: "must be > heartbeatTicks",
  })
  .refine((config) => config.leaseMs * LEASE_DRIFT_FACTOR < (config.electionTicks - 1) * config.tickMs, {
    path: ["leaseMs"],
    error: "times 1.1 must be < (electionTicks - 1) * tickMs",
  })
  .refine(({ snapshot }) => chunkTurnMs(snapshot) < snapshot.stallTimeoutMs, {
    path: ["snapshot", "maxBytesPerSecond"],
    error: "must let a chunk of each of the snapshots at once pass within snapshot.stallTimeoutMs",
  })
  .refine((config) => config.storeSilentMs > config.livenessIntervalMs, {
    path: ["storeSilentMs"],
    error: "must be > livenessIntervalMs",
  })
  .refine((config) => config.raft.maxInflightBytes >= config.raft.maxSizePerMessageBytes, {
    path: ["raft", "maxInflightBytes"],
    error: "must be >= raft.maxSizePerMessageBytes",
  });

/** A Store's configuration, checked and frozen. Units are in the names; defaults and bounds stand in the schema. */
export type StoreConfig = DeepReadonly<z.output<typeof schema>>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/**
 * Checks what a config file and the flags say and fills in the defaults.
 *
 * @throws RdbError RDB_CONFIG_INVALID naming each wrong field with its value and the limit
 */
export function parseStoreConfig(input: unknown): StoreConfig {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => describeIssue(issue, input));
    throw new RdbError("RDB_CONFIG_INVALID", problems.join("; "));
  }
  return deepFreeze(parsed.data);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) {
      deepFreeze(inner);
    }
  }
  return Object.freeze(value);
}

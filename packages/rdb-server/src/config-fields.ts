import { GiB, HOUR_MS, KiB, MINUTE_MS, MiB, SECOND_MS } from "@flaredb/rdb-base";
import { about, hostAndPort, listenSchema, reachableHostAndPort, tlsSchema } from "@flaredb/rdb-process";
import { z } from "zod";

/** It takes effect while the Store runs: `RunningStore.reconfigure`. */
const online = { change: "SIGHUP" } as const;

const byteCount = (atLeast: number, atMost: number) => z.int().min(atLeast).max(atMost);
const milliseconds = (atLeast: number, atMost = HOUR_MS) => z.int().min(atLeast).max(atMost);
const port = z.int().min(0).max(65_535);

const labelName = z.string().regex(/^[^=,\s]{1,63}$/, "must have 1 to 63 characters, no space, = or comma");
/** No comma: in the environment and on the command line another label begins there. */
const labelValue = z
  .string()
  .max(253)
  .regex(/^[^\s,]([^,]*[^\s,])?$/, "must have a character, no comma and no space at its ends");

/** One peer's Raft core and what waits in front of it. */
const raftSchema = z.strictObject({
  maxSizePerMessageBytes: byteCount(1, 16 * MiB)
    .default(1 * MiB)
    .meta(about("Most bytes of entries in one MsgApp; one entry may be larger by itself.")),
  maxInflightMessages: z
    .int()
    .min(1)
    .max(65_536)
    .default(256)
    .meta(about("Most MsgApp in flight to one follower.", { unit: "messages" })),
  maxInflightBytes: byteCount(1, 1 * GiB)
    .default(16 * MiB)
    .meta(about("Most bytes of entries in flight to one follower.")),
  maxUncommittedBytes: byteCount(1, 1 * GiB)
    .default(64 * MiB)
    .meta(about("Most bytes of proposals at a leader that are not committed yet; past it `ServerIsBusy`.")),
  entryMaxBytes: byteCount(1, 16 * MiB)
    .default(1 * MiB)
    .meta(
      about("Waiting proposals are folded into one entry up to this; one proposal may be larger by itself."),
    ),
  roundMinCount: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(16)
    .meta(
      about(
        "With so many writes outstanding in the Regions that a Store leads they propose together, so that entries, passes and messages are fewer.",
        { unit: "writes" },
      ),
    ),
  proposalQueueMaxCount: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(16_384)
    .meta(about("Most proposals that wait at one peer; past it `ServerIsBusy`.", { unit: "proposals" })),
  proposalQueueMaxBytes: byteCount(1, 1 * GiB)
    .default(64 * MiB)
    .meta(about("Most bytes of proposals that wait at one peer; past it `ServerIsBusy`.")),
  readQueueMaxCount: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(65_536)
    .meta(about("Most reads that wait at one peer; past it `ServerIsBusy`.", { unit: "reads" })),
});

/** What one Region remembers of clients' writes, so that each is applied once; past it `ServerIsBusy` at its leader. */
const sessionsSchema = z.strictObject({
  maxCount: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(200_000)
    .meta(
      about(
        "Writes whose clients have not said that they are done with them, and clients, that one Region remembers; past it `ServerIsBusy`.",
        { unit: "writes" },
      ),
    ),
  maxBytes: byteCount(1 * KiB, 16 * GiB)
    .default(64 * MiB)
    .meta(about("The rows on disk of what is remembered of clients' writes, in one Region.")),
});

/** When a leader proposes to cut the log. */
const logGcSchema = z.strictObject({
  maxEntries: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(50_000)
    .meta(about("Past this many entries a laggard is left behind and gets a snapshot.", { unit: "entries" })),
  maxBytes: byteCount(1, 16 * GiB)
    .default(128 * MiB)
    .meta(about("Past this many bytes a laggard is left behind and gets a snapshot.")),
  checkIntervalMs: milliseconds(10)
    .default(10 * SECOND_MS)
    .meta(about("How often a leader looks whether its log is to be cut.")),
});

/** What waits for the way to one other Store; past it messages are dropped, which Raft tolerates. */
const transportSchema = z.strictObject({
  bulkQueueMaxBytes: byteCount(1 * MiB, 4 * GiB)
    .default(64 * MiB)
    .meta(
      about(
        "Appends and their answers that wait for the way to one other Store; past it they are dropped, which Raft tolerates.",
      ),
    ),
  urgentQueueMaxBytes: byteCount(64 * KiB, 1 * GiB)
    .default(8 * MiB)
    .meta(
      about(
        "Votes, heartbeats and ReadIndex that wait for the way to one other Store, on a connection of their own.",
      ),
    ),
});

const snapshotSchema = z.strictObject({
  sendMaxCount: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .meta(about("Most snapshots that this Store sends at once; more wait.", { unit: "snapshots" })),
  sendQueueMaxCount: z
    .int()
    .min(0)
    .max(10_000)
    .default(64)
    .meta(
      about("Most snapshots that wait to be sent; past it one fails at once, and Raft asks again.", {
        unit: "snapshots",
      }),
    ),
  receiveMaxCount: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .meta(
      about("Most snapshots that this Store receives at once; more are refused, and Raft asks again.", {
        unit: "snapshots",
      }),
    ),
  chunkMaxBytes: byteCount(1 * KiB, 4 * MiB)
    .default(1 * MiB)
    .meta(about("Largest chunk of a snapshot on the wire and in the file.")),
  stallTimeoutMs: milliseconds(100)
    .default(30 * SECOND_MS)
    .meta(
      about("A snapshot's stream of which nothing was heard for this long counts as broken, on both sides."),
    ),
  resumeTimeoutMs: milliseconds(0)
    .default(1 * MINUTE_MS)
    .meta(
      about(
        "A snapshot's transfer that broke, or found no place, goes on within this time of getting no further, or begins anew.",
      ),
    ),
  maxBytesPerSecond: byteCount(0, 16 * GiB)
    .default(100 * MiB)
    .meta(
      about("All snapshots that this Store sends together, and all that it receives; 0: no limit.", online),
    ),
});

/** RocksDB's memory. */
const engineSchema = z.strictObject({
  blockCacheBytes: byteCount(1 * MiB, 1024 * GiB)
    .default(64 * MiB)
    .meta(about("RocksDB's cache of uncompressed blocks, for all column families.")),
  rowCacheBytes: byteCount(0, 64 * GiB)
    .default(64 * MiB)
    .meta(about("Rows that were read lately, for reads by key without another thread; below 256 KiB: none.")),
  dataMemtableBytes: byteCount(256 * KiB, 4 * GiB)
    .default(32 * MiB)
    .meta(about("All memtables of RocksDB's column family `data`, which takes the values.")),
  logMemtableBytes: byteCount(256 * KiB, 4 * GiB)
    .default(16 * MiB)
    .meta(about("All memtables of RocksDB's column family `raft_log`.")),
});

const diskSchema = z.strictObject({
  reserveBytes: byteCount(0, 64 * GiB)
    .default(32 * MiB)
    .meta(
      about(
        "Size of a file in the data folder that is deleted to have room to start on a full disk; 0: none.",
      ),
    ),
  fullDiskBytes: byteCount(0, 1024 * GiB)
    .default(256 * MiB)
    .meta(about("With less than this available the Store refuses writes and snapshots.", online)),
});

/** How this Store speaks to the placement driver. */
const pdSchema = z.strictObject({
  keepaliveIntervalMs: milliseconds(10)
    .default(2 * SECOND_MS)
    .meta(
      about(
        "Between two keepalives on the stream of Region heartbeats to PD; they, and the end of the stream, decide whether the Store counts as up.",
      ),
    ),
  storeHeartbeatIntervalMs: milliseconds(10)
    .default(30 * SECOND_MS)
    .meta(about("Between two heartbeats to PD with health and all Regions.")),
  callTimeoutMs: milliseconds(10)
    .default(5 * SECOND_MS)
    .meta(about("A unary call to PD takes at most this.")),
});

/** What a Store's streams and unary methods take on. */
const rpcSchema = z.strictObject({
  streamMaxPendingCount: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(16_384)
    .meta(
      about("Most unanswered requests of one client's stream; past it `ServerIsBusy`.", { unit: "requests" }),
    ),
  unaryTimeoutMs: milliseconds(1, 10 * MINUTE_MS)
    .default(10 * SECOND_MS)
    .meta(about("Deadline of a unary call that names none.")),
});

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

/** Spans of requests, by OpenTelemetry. */
const tracingSchema = z.strictObject({
  endpoint: z
    .string()
    .refine(isHttpUrl, "must be a URL that begins with http:// or https://")
    .optional()
    .meta(
      about(
        "The URL at which a collector takes spans by OTLP over HTTP, such as `http://localhost:4318`; `/v1/traces` follows where it has no path. Default: none are made, and nothing is loaded for it.",
      ),
    ),
  sampleRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .meta(
      about(
        "Of the requests that come without a trace, this part begins one, 0 to 1. Those that come with one always have spans.",
        { ...online, unit: "part" },
      ),
    ),
  queueMaxCount: z
    .int()
    .min(8)
    .max(1_000_000)
    .default(4_096)
    .meta(about("Most spans that wait to be sent; past it requests go without.", { unit: "spans" })),
});

/** All of a Store's settings: names, bounds, defaults, and what each means. Rules between them stand in config.ts. */
export const storeFields = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .meta(about("The address to listen on. Beyond loopback only with TLS, or `insecure`.")),
  port: port.default(7410).meta(about("The RPC port; 0 takes a free one.", { unit: "port" })),
  httpPort: port.default(7420).meta(about("The HTTP port (health); 0 takes a free one.", { unit: "port" })),
  dataDir: z.string().min(1).meta(about("The folder of the Store's data. Made when it is not there.")),
  pdAddresses: z
    .array(hostAndPort)
    .min(1)
    .max(15)
    .default(["127.0.0.1:7400"])
    .meta(about("The placement driver's members, HOST:PORT each.")),
  advertiseAddress: reachableHostAndPort
    .optional()
    .meta(about("HOST:PORT at which others reach this Store. Default: `host` and the port listened on.")),
  outgoingHost: z
    .string()
    .min(1)
    .optional()
    .meta(about("The local address of outgoing connections. Default: the system's choice.")),
  labels: z
    .record(labelName, labelValue)
    .default({})
    .meta(about("Where it stands, for placement, such as host=a,zone=b.")),
  logLevel: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .meta(about("The least urgent lines that are logged: debug, info, warn, error or silent.", online)),
  tls: tlsSchema.prefault({}),
  insecure: z.boolean().default(false).meta(about("Listen beyond loopback though nothing is encrypted.")),
  listen: listenSchema.prefault({}),

  tickMs: milliseconds(1, 10 * SECOND_MS)
    .default(50)
    .meta(about("Length of a tick of Raft's clock.")),
  heartbeatTicks: z.int().min(1).max(1_000).default(2).meta(about("Ticks between a leader's heartbeats.")),
  electionTicks: z
    .int()
    .min(2)
    .max(10_000)
    .default(20)
    .meta(
      about(
        "Ticks without a leader's contact before an election; the drawn timeout is one to two times this.",
      ),
    ),
  leaseMs: milliseconds(1)
    .default(800)
    .meta(
      about(
        "A leader may read without asking this long after a quorum's contact was sent. Times 1.1 below the election timeout of every Store.",
      ),
    ),
  leaseReads: z
    .boolean()
    .default(true)
    .meta(about("Off: every read asks a quorum. For hosts that may be suspended.")),
  slowDiskMs: milliseconds(1)
    .default(1 * SECOND_MS)
    .meta(
      about(
        "A pass of the writer that takes longer: leaderships are handed away. At twice that, heartbeats stop.",
        online,
      ),
    ),
  slowRequestMs: milliseconds(0)
    .default(500)
    .meta(
      about("A client's request that takes longer is logged with where its time went; 0: none is.", online),
    ),
  hibernateAfterMs: milliseconds(0, 24 * HOUR_MS)
    .default(10 * SECOND_MS)
    .meta(about("A Region without requests for this long sleeps; 0: never.")),
  storeSilentMs: milliseconds(10)
    .default(2 * SECOND_MS)
    .meta(about("A Store that was not heard of for this long counts as silent.")),
  stalePeerMs: milliseconds(100)
    .default(5 * MINUTE_MS)
    .meta(
      about("A peer that hears of no leader for this long asks the others, and PD, whether it was removed."),
    ),
  livenessIntervalMs: milliseconds(1)
    .default(500)
    .meta(about("A sign of life is sent to another Store when nothing else was for this long.")),

  entryCacheBytes: byteCount(0, 16 * GiB)
    .default(64 * MiB)
    .meta(about("Raft entries of all peers that are kept in memory.")),
  unwrittenMaxBytes: byteCount(1 * MiB, 16 * GiB)
    .default(128 * MiB)
    .meta(about("Past this many submitted and not yet written bytes, apply pauses.")),

  regionSplitSizeBytes: byteCount(1, 1024 * GiB)
    .default(96 * MiB)
    .meta(about("A Region that grew to this size is split into halves.", online)),
  splitQps: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(100_000)
    .meta(
      about(
        "A Region of which more keys a second are read and written is split where its load is; 0: none is.",
        { ...online, unit: "keys/s" },
      ),
    ),

  raft: raftSchema.prefault({}),
  sessions: sessionsSchema.prefault({}),
  logGc: logGcSchema.prefault({}),
  transport: transportSchema.prefault({}),
  snapshot: snapshotSchema.prefault({}),
  engine: engineSchema.prefault({}),
  disk: diskSchema.prefault({}),
  pd: pdSchema.prefault({}),
  rpc: rpcSchema.prefault({}),
  tracing: tracingSchema.prefault({}),
});

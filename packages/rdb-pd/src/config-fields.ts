import { SECOND_MS } from "@flaredb/rdb-base";
import { about, hostAndPort, listenSchema, reachableHostAndPort, tlsSchema } from "@flaredb/rdb-process";
import { z } from "zod";
import { pdLimits } from "./limits.ts";
import { placementSchema } from "./placement/placement-config.ts";

const port = z.int().min(0).max(65_535);
const memberName = z.string().regex(/^[^=,\s]{1,63}$/, "must have 1 to 63 characters, no space, = or comma");
const milliseconds = z
  .int()
  .min(1)
  .max(60 * SECOND_MS);

const firstStart = { change: "first start" } as const;
const online = { change: "rdb scheduler config" } as const;

/** PD's own Raft group. One member alone waits for nobody. */
const raftSchema = z.strictObject({
  tickMs: milliseconds.default(100).meta(about("Length of a tick of the clock of PD's own Raft group.")),
  heartbeatTicks: z.int().min(1).max(1_000).default(2).meta(about("Ticks between a leader's heartbeats.")),
  electionTicks: z
    .int()
    .min(2)
    .max(10_000)
    .default(10)
    .meta(about("Ticks without a leader's contact before an election.")),
});

/** All of PD's settings: names, bounds, defaults, and what each means. Rules between them stand in config.ts. */
export const pdFields = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .meta(about("The address to listen on. Beyond loopback only with TLS, or `insecure`.")),
  port: port.default(7400).meta(about("The RPC port; 0 takes a free one.", { unit: "port" })),
  httpPort: port
    .default(7401)
    .meta(about("The HTTP port (health, admin API); 0 takes a free one.", { unit: "port" })),
  adminTokenFile: z
    .string()
    .min(1)
    .optional()
    .meta(
      about(
        "A file whose first line is the token that each request to the admin API has to carry. Without it the API answers on loopback alone.",
      ),
    ),
  dataAccess: z
    .enum(["off", "read", "write"])
    .default("read")
    .meta(
      about(
        "Whether the admin API and the dashboard show the users' keys and values: `read`, or `off`. With `write` they also put and delete rows, whoever may ask them.",
      ),
    ),
  dataDir: z.string().min(1).meta(about("The folder of PD's data. Made when it is not there.")),
  name: memberName.default("pd-1").meta(about("What this member is called in lists.")),
  advertiseAddress: reachableHostAndPort
    .optional()
    .meta(
      about(
        "HOST:PORT at which others reach this PD. Default: what `initialCluster` says, or `host` and the port listened on.",
      ),
    ),
  initialCluster: z
    .array(z.strictObject({ name: memberName, address: reachableHostAndPort }))
    .min(1)
    .max(pdLimits.memberMaxCount)
    .optional()
    .meta(
      about(
        "The first members of PD's group, this one among them, the same for all: 1, 3 or 5, as pd-1=HOST:PORT,pd-2=HOST:PORT,…. Default: this one alone.",
        firstStart,
      ),
    ),
  join: z
    .array(hostAndPort)
    .min(1)
    .max(pdLimits.memberMaxCount)
    .optional()
    .meta(
      about(
        "HOST:PORT of members of a group that is there and to which this one was added (`rdb pd add-member`).",
        firstStart,
      ),
    ),
  bootstrapStores: z
    .int()
    .min(1)
    .max(pdLimits.storeMaxCount)
    .default(3)
    .meta(
      about("So many Stores must be up before the initial Regions are placed on them.", {
        ...firstStart,
        unit: "Stores",
      }),
    ),
  replicas: z
    .int()
    .min(1)
    .max(pdLimits.replicaMaxCount)
    .default(3)
    .meta(
      about(
        "Peers of each Region; the initial ones begin with fewer where `bootstrapStores` is less. Where `rdb scheduler config` never set it, another value takes effect as soon as a PD that has it leads: peers are added to, or removed from, all Regions at once.",
        { ...online, unit: "peers" },
      ),
    ),
  initialSplitKeys: z
    .array(z.string())
    .max(pdLimits.initialRegionMaxCount)
    .optional()
    .meta(
      about(
        "Keys at which the initial Regions begin, beside the first one. Text; other bytes as \\xNN.",
        firstStart,
      ),
    ),
  initialRanges: z
    .array(z.strictObject({ startKey: z.string(), endKey: z.string() }))
    .min(1)
    .max(pdLimits.initialRegionMaxCount)
    .optional()
    .meta(
      about(
        "The initial Regions themselves, instead of split keys: a list of startKey and endKey, in order, that tile the key space.",
        firstStart,
      ),
    ),
  logLevel: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .meta(
      about("The least urgent lines that are logged: debug, info, warn, error or silent.", {
        change: "SIGHUP",
      }),
    ),
  tls: tlsSchema.prefault({}),
  insecure: z.boolean().default(false).meta(about("Listen beyond loopback though nothing is encrypted.")),
  listen: listenSchema.prefault({}),
  raft: raftSchema.prefault({}),
  placement: placementSchema
    .omit({ replicas: true })
    .prefault({})
    .meta(about("What of placement can be changed online begins with this.", online)),
});

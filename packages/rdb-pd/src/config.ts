import { type KeyRange, RdbError, SECOND_MS } from "@flaredb/rdb-base";
import { isLoopback } from "@flaredb/rdb-wire";
import { z } from "zod";
import { checkInitialRanges, rangesFromSplitKeys } from "./cluster/initial-regions.ts";
import { describeIssue } from "./config-issue.ts";
import { parseKeyText } from "./key-text.ts";
import { pdLimits } from "./limits.ts";
import { type PlacementConfig, placementSchema } from "./placement/placement-config.ts";

const port = z.int().min(0).max(65_535);
const hostAndPort = z.string().regex(/^(\[[0-9A-Fa-f:]+\]|[^:\s/]+):\d{1,5}$/, "must be HOST:PORT");
const memberName = z.string().regex(/^[^=,\s]{1,63}$/, "must have 1 to 63 characters, no space, = or comma");
const milliseconds = z
  .int()
  .min(1)
  .max(60 * SECOND_MS);

/** PD's own Raft group. One member alone waits for nobody. */
const raftSchema = z.strictObject({
  /** Length of a tick. */
  tickMs: milliseconds.default(100),
  /** Ticks between a leader's heartbeats. */
  heartbeatTicks: z.int().min(1).max(1_000).default(2),
  /** Ticks without a leader's contact before an election. */
  electionTicks: z.int().min(2).max(10_000).default(10),
});

const fields = z.strictObject({
  /** The address to listen on. Beyond loopback only with `insecure`. */
  host: z.string().min(1).default("127.0.0.1"),
  /** The RPC port; 0 takes a free one. */
  port: port.default(7400),
  /** The HTTP port (health, read-only JSON); 0 takes a free one. */
  httpPort: port.default(7401),
  /** PD's data. Made when it is not there. */
  dataDir: z.string().min(1),
  /** What this member is called in lists. */
  name: memberName.default("pd-1"),
  /** HOST:PORT at which others reach this PD. Default: what `initialCluster` says, or `host` and the port listened on. */
  advertiseAddress: hostAndPort.optional(),
  /** The first members of PD's group, this one among them, the same for all: 1, 3 or 5. Default: this one alone. */
  initialCluster: z
    .array(z.strictObject({ name: memberName, address: hostAndPort }))
    .min(1)
    .max(pdLimits.memberMaxCount)
    .optional(),
  /** HOST:PORT of members of a group that is there and to which this one was added (`rdb pd add-member`). */
  join: z.array(hostAndPort).min(1).max(pdLimits.memberMaxCount).optional(),
  /** So many Stores must be up before the initial Regions are placed on them. */
  bootstrapStores: z.int().min(1).max(pdLimits.storeMaxCount).default(3),
  /** Peers of each Region; the initial ones begin with fewer where `bootstrapStores` is less. */
  replicas: z.int().min(1).max(pdLimits.replicaMaxCount).default(3),
  /** Keys at which the initial Regions begin, beside the first one. Text; other bytes as \xNN. */
  initialSplitKeys: z.array(z.string()).max(pdLimits.initialRegionMaxCount).optional(),
  /** The initial Regions themselves, instead of split keys. They must tile the key space, in order. */
  initialRanges: z
    .array(z.strictObject({ startKey: z.string(), endKey: z.string() }))
    .min(1)
    .max(pdLimits.initialRegionMaxCount)
    .optional(),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  /** Listen beyond loopback though nothing is encrypted. */
  insecure: z.boolean().default(false),
  raft: raftSchema.prefault({}),
  /** What of placement can be changed online begins with this. */
  placement: placementSchema.omit({ replicas: true }).prefault({}),
});

const schema = fields
  .refine((config) => config.raft.electionTicks > config.raft.heartbeatTicks, {
    path: ["raft", "electionTicks"],
    error: "must be > raft.heartbeatTicks",
  })
  .refine((config) => config.insecure || isLoopback(config.host), {
    path: ["host"],
    error: "is not a loopback address and nothing is encrypted: listen on 127.0.0.1, or say insecure",
  })
  .refine((config) => config.initialSplitKeys === undefined || config.initialRanges === undefined, {
    path: ["initialRanges"],
    error: "and initialSplitKeys exclude each other",
  })
  .refine(({ initialCluster }) => initialCluster === undefined || initialCluster.length % 2 === 1, {
    path: ["initialCluster"],
    error: "must have 1, 3 or 5 members: an even count bears no more failures than one less",
  })
  .refine(({ initialCluster = [] }) => areDistinct(initialCluster), {
    path: ["initialCluster"],
    error: "names a member or an address twice",
  })
  .refine(({ initialCluster, name }) => initialCluster?.some((member) => member.name === name) !== false, {
    path: ["initialCluster"],
    error: "does not have this member's name",
  })
  .refine(({ initialCluster, join }) => initialCluster === undefined || join === undefined, {
    path: ["join"],
    error: "and initialCluster exclude each other",
  });

type Fields = Readonly<z.output<typeof schema>>;

/** PD's configuration, checked and frozen. Units are in the names; defaults and bounds stand in the schema. */
export interface PdConfig extends Readonly<Omit<Fields, "initialSplitKeys" | "initialRanges" | "placement">> {
  /** Invariant: they tile the key space, in order. */
  readonly initialRanges: readonly KeyRange[];
  readonly placement: PlacementConfig;
}

/**
 * Checks what a config file and the flags say and fills in the defaults.
 *
 * @throws RdbError RDB_CONFIG_INVALID naming each wrong field with its value and the limit, or the two initial
 * Regions that do not fit together (SPEC M5)
 */
export function parsePdConfig(input: unknown): PdConfig {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => describeIssue(issue, input));
    throw new RdbError("RDB_CONFIG_INVALID", problems.join("; "));
  }
  const { initialSplitKeys, initialRanges, raft, placement, ...rest } = parsed.data;
  const ranges =
    initialRanges === undefined
      ? rangesFromSplitKeys((initialSplitKeys ?? []).map(keyOf))
      : checkInitialRanges(
          initialRanges.map((range) => ({
            startKey: keyOf(range.startKey),
            endKey: keyOf(range.endKey),
          })),
        );
  return Object.freeze({
    ...rest,
    raft: Object.freeze(raft),
    initialRanges: Object.freeze(ranges),
    placement: Object.freeze({ ...placement, replicas: rest.replicas }),
  });
}

function keyOf(text: string): Uint8Array {
  try {
    return parseKeyText(text);
  } catch (error) {
    throw new RdbError("RDB_CONFIG_INVALID", `initial regions: ${RdbError.from(error).message}`, {
      cause: error,
    });
  }
}

function areDistinct(members: readonly { readonly name: string; readonly address: string }[]): boolean {
  const names = new Set(members.map(({ name }) => name));
  const addresses = new Set(members.map(({ address }) => address));
  return names.size === members.length && addresses.size === members.length;
}

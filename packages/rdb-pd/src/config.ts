import { type KeyRange, RdbError } from "@flaredb/rdb-base";
import { type Origins, checkInput, configError, isEveryAddress, tlsMissing } from "@flaredb/rdb-process";
import { isLoopback } from "@flaredb/rdb-wire";
import type { z } from "zod";
import { checkInitialRanges, rangesFromSplitKeys } from "./cluster/initial-regions.ts";
import { pdFields } from "./config-fields.ts";
import { pdSettings } from "./flags.ts";
import { parseKeyText } from "./key-text.ts";
import type { PlacementConfig } from "./placement/placement-config.ts";

const schema = pdFields
  .refine((config) => config.raft.electionTicks > config.raft.heartbeatTicks, {
    path: ["raft", "electionTicks"],
    error: "must be > raft.heartbeatTicks",
  })
  .refine((config) => config.insecure || config.tls.cert !== undefined || isLoopback(config.host), {
    path: ["host"],
    error: `is not a loopback address ${tlsMissing}`,
  })
  .refine(
    ({ advertiseAddress, initialCluster, host }) =>
      advertiseAddress !== undefined || initialCluster !== undefined || !isEveryAddress(host),
    {
      path: ["advertiseAddress"],
      error:
        "must be given where host is every address of the machine: say --advertise-address HOST:PORT at which Stores, clients and the other members reach this one, or name it in initialCluster",
    },
  )
  .refine(({ port, httpPort }) => port === 0 || port !== httpPort, {
    path: ["httpPort"],
    error: "must differ from port",
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
 * Checks what config file, environment and flags say and fills in the defaults.
 *
 * @param origins who gave which value, to be named where it is wrong
 * @throws RdbError RDB_CONFIG_INVALID naming each wrong field with its value and the limit, or the two initial
 * Regions that do not fit together (SPEC M5)
 */
export function parsePdConfig(input: unknown, origins?: Origins): PdConfig {
  const checked = checkInput(schema, pdSettings, input, origins);
  const { initialSplitKeys, initialRanges, raft, placement, ...rest } = checked;
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
    tls: Object.freeze(rest.tls),
    initialRanges: Object.freeze(ranges),
    placement: Object.freeze({ ...placement, replicas: rest.replicas }),
  });
}

function keyOf(text: string): Uint8Array {
  try {
    return parseKeyText(text);
  } catch (error) {
    throw configError([`initial regions: ${RdbError.from(error).message}`]);
  }
}

function areDistinct(members: readonly { readonly name: string; readonly address: string }[]): boolean {
  const names = new Set(members.map(({ name }) => name));
  const addresses = new Set(members.map(({ address }) => address));
  return names.size === members.length && addresses.size === members.length;
}

import { checkInput, isEveryAddress, type Origins, tlsMissing } from "@flaredb/rdb-process";
import { isLoopback } from "@flaredb/rdb-wire";
import type { z } from "zod";
import { storeFields } from "./config-fields.ts";
import { storeSettings } from "./flags.ts";
import { SECOND_MS } from "@flaredb/rdb-base";

/**
 * Room for clocks that drift 10 % apart: a lease, measured on the slower clock, must end before the earliest
 * election, which may come one tick early on the faster one.
 */
const LEASE_DRIFT_FACTOR = 1.1;

type StoreFields = z.output<typeof storeFields>;

/** How long a transfer waits for its next chunk when all of them share the bandwidth. */
function chunkTurnMs(snapshot: StoreFields["snapshot"]): number {
  const { sendMaxCount, receiveMaxCount, chunkMaxBytes, maxBytesPerSecond } = snapshot;
  const atOnceBytes = Math.max(sendMaxCount, receiveMaxCount) * chunkMaxBytes;
  return maxBytesPerSecond === 0 ? 0 : (atOnceBytes * SECOND_MS) / maxBytesPerSecond;
}

const schema = storeFields
  .refine((config) => config.insecure || config.tls.cert !== undefined || isLoopback(config.host), {
    path: ["host"],
    error: `is reachable from elsewhere ${tlsMissing}`,
  })
  .refine((config) => config.advertiseAddress !== undefined || !isEveryAddress(config.host), {
    path: ["advertiseAddress"],
    error:
      "must be given where host is every address of the machine: say --advertise-address HOST:PORT at which PD, clients and the other Stores reach this one",
  })
  .refine(({ port, httpPort }) => port === 0 || port !== httpPort, {
    path: ["httpPort"],
    error: "must differ from port",
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
export type StoreConfig = DeepReadonly<StoreFields>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/**
 * Checks what config file, environment and flags say and fills in the defaults.
 *
 * @param origins who gave which value, to be named where it is wrong
 * @throws RdbError RDB_CONFIG_INVALID naming each wrong field with its value and the limit
 */
export function parseStoreConfig(input: unknown, origins?: Origins): StoreConfig {
  return deepFreeze(checkInput(schema, storeSettings, input, origins));
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) {
      deepFreeze(inner);
    }
  }
  return Object.freeze(value);
}

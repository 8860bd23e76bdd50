import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { HOUR_MS, MINUTE_MS, RdbError, SECOND_MS } from "@flaredb/rdb-base";

/** The flags of `rdb-pd`, in the order of its help. */
const options = {
  config: { type: "string" },
  "data-dir": { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "http-port": { type: "string" },
  "bootstrap-stores": { type: "string" },
  "initial-regions": { type: "string" },
  replicas: { type: "string" },
  "max-store-down-time": { type: "string" },
  name: { type: "string" },
  "advertise-address": { type: "string" },
  "initial-cluster": { type: "string" },
  join: { type: "string" },
  "log-level": { type: "string" },
  insecure: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export const usage = `Usage: rdb-pd --data-dir DIR [options]

The placement driver: it owns the map of Stores and Regions.

  --config FILE           JSON file with the fields of the configuration; flags go before it
  --data-dir DIR          where its data lies; made when it is not there
  --host HOST             address to listen on (127.0.0.1)
  --port PORT             RPC port (7400)
  --http-port PORT        HTTP port: health and read-only JSON (7401)
  --bootstrap-stores N    Stores that must be up before the initial Regions are placed (3)
  --initial-regions KEYS  keys, separated by commas, at which further initial Regions begin ("m,t")
  --replicas N            peers of each Region (3)
  --max-store-down-time T a Store that is silent for so long has its peers replaced: 10s, 10m, 1h (10m)
  --name NAME             what this member is called (pd-1)
  --advertise-address A   HOST:PORT at which others reach it
  --initial-cluster LIST  the first members, the same for all: pd-1=HOST:PORT,pd-2=HOST:PORT,… (this one alone)
  --join ADDRESSES        HOST:PORT of members, by comma, to which it was added: see rdb pd add-member
  --log-level LEVEL       debug, info, warn, error or silent (info)
  --insecure              listen beyond loopback though nothing is encrypted
  -h, --help              this text`;

/** What the command line asks for. */
export type Invocation = { readonly kind: "help" } | { readonly kind: "start"; readonly input: unknown };

/**
 * Joins the config file and the flags into what `parsePdConfig` checks.
 *
 * @throws RdbError RDB_CONFIG_INVALID for an unknown flag, a value that is no number, or a file that is no JSON object
 */
export function readFlags(argv: readonly string[]): Invocation {
  const values = parse(argv);
  if (values.help === true) {
    return { kind: "help" };
  }
  const { config: file, ...flags } = values;
  const base = file === undefined ? {} : readConfigFile(file);
  const initialRegions = flags["initial-regions"];
  const given = {
    dataDir: flags["data-dir"],
    host: flags.host,
    port: integer("port", flags.port),
    httpPort: integer("http-port", flags["http-port"]),
    bootstrapStores: integer("bootstrap-stores", flags["bootstrap-stores"]),
    replicas: integer("replicas", flags.replicas),
    name: flags.name,
    advertiseAddress: flags["advertise-address"],
    initialCluster: members(flags["initial-cluster"]),
    join: flags.join?.split(","),
    logLevel: flags["log-level"],
    insecure: flags.insecure,
    placement: placement(base["placement"], flags["max-store-down-time"]),
    initialSplitKeys: initialRegions === undefined ? undefined : splitKeys(initialRegions),
  };
  if (initialRegions !== undefined) {
    // The flag replaces what the file says of the initial Regions, whichever way it says it.
    delete base["initialRanges"];
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { kind: "start", input: { ...base, ...Object.fromEntries(set) } };
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options }>>["values"] {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new RdbError("RDB_CONFIG_INVALID", `${(error as Error).message}; see rdb-pd --help`, {
      cause: error,
    });
  }
}

function readConfigFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      `config file ${path} cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RdbError("RDB_CONFIG_INVALID", `config file ${path} must hold one JSON object`);
  }
  return { ...value };
}

function integer(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (!/^-?\d{1,15}$/.test(text)) {
    throw new RdbError("RDB_CONFIG_INVALID", `--${flag} "${text}" must be an integer`);
  }
  return Number(text);
}

/** What the file says of placement, with the flag's word over it. */
function placement(fromFile: unknown, maxStoreDownTime: string | undefined): unknown {
  if (maxStoreDownTime === undefined) {
    return fromFile;
  }
  const maxStoreDownTimeMs = durationMs("max-store-down-time", maxStoreDownTime);
  return typeof fromFile === "object" ? { ...fromFile, maxStoreDownTimeMs } : { maxStoreDownTimeMs };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS };

function durationMs(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitMs[unit];
  if (factor === undefined) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      `--${flag} "${text}" must be a number with ms, s, m or h, as 10m`,
    );
  }
  return Number(count) * factor;
}

/** As `pd-1=127.0.0.1:7400,pd-2=127.0.0.1:7402`. What is wrong with an address is found with the rest. */
function members(
  text: string | undefined,
): { readonly name: string; readonly address: string }[] | undefined {
  return text?.split(",").map((part) => {
    const [, name, address] = /^([^=]+)=(.+)$/.exec(part.trim()) ?? [];
    if (name === undefined || address === undefined) {
      throw new RdbError(
        "RDB_CONFIG_INVALID",
        `--initial-cluster "${part}" must be NAME=HOST:PORT, as pd-1=127.0.0.1:7400`,
      );
    }
    return { name, address };
  });
}

/** No keys in an empty text: one Region. A comma inside a key is written \x2c. */
function splitKeys(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

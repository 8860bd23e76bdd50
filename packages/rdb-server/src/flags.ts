import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { GiB, KiB, MiB, RdbError } from "@flaredb/rdb-base";

/** The flags of `rdb-server`, in the order of its help. */
const options = {
  config: { type: "string" },
  "data-dir": { type: "string" },
  pd: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "http-port": { type: "string" },
  "advertise-address": { type: "string" },
  "outgoing-host": { type: "string" },
  label: { type: "string", multiple: true },
  "region-split-size": { type: "string" },
  "log-level": { type: "string" },
  insecure: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export const usage = `Usage: rdb-server --data-dir DIR [options]

A Store: it keeps Regions and serves their keys and values.

  --config FILE           JSON file with the fields of the configuration; flags go before it
  --data-dir DIR          where its data lies; made when it is not there
  --pd HOST:PORT[,...]    the placement driver's members (127.0.0.1:7400)
  --host HOST             address to listen on (127.0.0.1)
  --port PORT             RPC port (7410)
  --http-port PORT        HTTP port: health and read-only JSON (7420)
  --advertise-address A   HOST:PORT at which others reach it
  --outgoing-host HOST    local address of outgoing connections
  --label NAME=VALUE      for placement, such as host=a; may be repeated
  --region-split-size S   a Region that grew to this is split into halves: 32MiB, 1GiB (96MiB)
  --log-level LEVEL       debug, info, warn, error or silent (info)
  --insecure              listen beyond loopback though nothing is encrypted
  -h, --help              this text`;

/** What the command line asks for. */
export type Invocation = { readonly kind: "help" } | { readonly kind: "start"; readonly input: unknown };

/**
 * Joins the config file and the flags into what `parseStoreConfig` checks.
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
  const given = {
    dataDir: flags["data-dir"],
    pdAddresses: flags.pd?.split(","),
    host: flags.host,
    port: integer("port", flags.port),
    httpPort: integer("http-port", flags["http-port"]),
    advertiseAddress: flags["advertise-address"],
    outgoingHost: flags["outgoing-host"],
    labels: flags.label === undefined ? undefined : labelsOf(flags.label),
    regionSplitSizeBytes: byteCount("region-split-size", flags["region-split-size"]),
    logLevel: flags["log-level"],
    insecure: flags.insecure,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { kind: "start", input: { ...base, ...Object.fromEntries(set) } };
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options }>>["values"] {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new RdbError("RDB_CONFIG_INVALID", `${(error as Error).message}; see rdb-server --help`, {
      cause: error,
    });
  }
}

function readConfigFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = (error as Error).message;
    throw new RdbError("RDB_CONFIG_INVALID", `config file ${path} cannot be read: ${reason}`, {
      cause: error,
    });
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

const unitBytes: Readonly<Record<string, number>> = { KiB, MiB, GiB };

function byteCount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const [, count, unit] = /^(\d{1,9})(KiB|MiB|GiB)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitBytes[unit];
  if (factor === undefined) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      `--${flag} "${text}" must be a number with KiB, MiB or GiB, as 32MiB`,
    );
  }
  return Number(count) * factor;
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (at < 1 || at === text.length - 1) {
      throw new RdbError("RDB_CONFIG_INVALID", `--label "${text}" must be NAME=VALUE`);
    }
    if (Object.hasOwn(labels, name)) {
      throw new RdbError("RDB_CONFIG_INVALID", `--label ${name} is given twice`);
    }
    labels[name] = text.slice(at + 1);
  }
  return labels;
}

import type { TlsFiles } from "@flaredb/rdb-wire";
import type { Command } from "commander";
import { invalid } from "./input/bytes.ts";
import { parseDurationMs } from "./input/numbers.ts";
import type { Io } from "./io.ts";

/** Where the playground's placement driver answers. */
const DEFAULT_PD_ADDRESS = "127.0.0.1:7400";

const DEFAULT_TIMEOUT = "5s";

/** What every command takes. */
export interface Globals {
  /** The placement driver's members, HOST:PORT each; at least one. */
  readonly pdAddresses: readonly string[];
  /** Print JSON, errors too. */
  readonly json: boolean;
  /** For the whole command; a scan's for each of its pages. */
  readonly timeoutMs: number;
  /** Whom the cluster's members have to be known to, and who we are; undefined: nothing is encrypted. */
  readonly tls: TlsFiles | undefined;
}

/** Adds the options that every command takes. */
export function defineGlobals(program: Command): void {
  program
    .optionsGroup("For every command:")
    .option(
      "--pd <host:port>",
      `placement driver; several by comma (env RDB_PD, default ${DEFAULT_PD_ADDRESS})`,
    )
    .option("--tls-ca <file>", "authorities that the cluster's certificates come from (env FLAREDB_TLS_CA)")
    .option("--tls-cert <file>", "certificate to show, where the cluster asks (env FLAREDB_TLS_CERT)")
    .option("--tls-key <file>", "its private key (env FLAREDB_TLS_KEY)")
    .option("--json", "print JSON instead of text, errors too")
    .option("--timeout <time>", `give up after this, such as 500ms or 1m (default ${DEFAULT_TIMEOUT})`);
}

/** @throws RdbError RDB_INVALID_ARGUMENT naming the option and what it must be */
export function readGlobals(command: Command, io: Io): Globals {
  const options = command.optsWithGlobals<RawGlobals>();
  return {
    pdAddresses: parsePdAddresses(options.pd, io.env["RDB_PD"]),
    json: options.json === true,
    timeoutMs: parseDurationMs("timeout", options.timeout ?? DEFAULT_TIMEOUT),
    tls: tlsFiles(options, io.env),
  };
}

/** As commander hands them over. */
interface RawGlobals {
  readonly pd?: string;
  readonly json?: true;
  readonly timeout?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

function tlsFiles(options: RawGlobals, env: Io["env"]): TlsFiles | undefined {
  // A variable that is empty counts as not set.
  const ca = options.tlsCa ?? (env["FLAREDB_TLS_CA"] || undefined);
  const cert = options.tlsCert ?? (env["FLAREDB_TLS_CERT"] || undefined);
  const key = options.tlsKey ?? (env["FLAREDB_TLS_KEY"] || undefined);
  return ca === undefined && cert === undefined && key === undefined ? undefined : { ca, cert, key };
}

function parsePdAddresses(option: string | undefined, variable: string | undefined): string[] {
  const [field, text] = option !== undefined ? ["--pd", option] : ["RDB_PD", variable || DEFAULT_PD_ADDRESS];
  return text.split(",").map((part) => {
    const address = part.trim();
    const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^:[\]/\s]+):(\d{1,5})$/.exec(address)?.[1] ?? 0);
    if (port < 1 || port > 65_535) {
      throw invalid("pd", `${field} "${address}" must be HOST:PORT, such as ${DEFAULT_PD_ADDRESS}`);
    }
    return address;
  });
}

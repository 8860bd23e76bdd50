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
}

/** Adds the options that every command takes. */
export function defineGlobals(program: Command): void {
  program
    .optionsGroup("For every command:")
    .option(
      "--pd <host:port>",
      `placement driver; several by comma (env RDB_PD, default ${DEFAULT_PD_ADDRESS})`,
    )
    .option("--json", "print JSON instead of text, errors too")
    .option("--timeout <time>", `give up after this, such as 500ms or 1m (default ${DEFAULT_TIMEOUT})`);
}

/** @throws RdbError RDB_INVALID_ARGUMENT naming the option and what it must be */
export function readGlobals(command: Command, io: Io): Globals {
  const options = command.optsWithGlobals<{ pd?: string; json?: true; timeout?: string }>();
  return {
    pdAddresses: parsePdAddresses(options.pd, io.env["RDB_PD"]),
    json: options.json === true,
    timeoutMs: parseDurationMs("timeout", options.timeout ?? DEFAULT_TIMEOUT),
  };
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

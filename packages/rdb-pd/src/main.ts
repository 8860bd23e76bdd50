import { type Logger, RdbError, systemClock, systemRandom } from "@flaredb/rdb-base";
import { type Configured, configure, endWith } from "@flaredb/rdb-process";
import { pino } from "pino";
import { type PdConfig, parsePdConfig } from "./config.ts";
import { pdSettings, usage } from "./flags.ts";
import type { RunningPd } from "./run-pd.ts";
import { startPd } from "./start-pd.ts";

/**
 * The process `rdb-pd`: logs as JSON lines on stdout, ends on SIGTERM and SIGINT in good order, and on what it cannot
 * live with by one line on stderr and exit code 1; 2 when the command line or the config file is wrong.
 */
export async function main(argv: readonly string[]): Promise<void> {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  try {
    const configured = readConfiguration(argv);
    if (configured.kind === "end") {
      endWith(configured);
      return;
    }
    const { config } = configured;
    const logger: Logger = pino({ level: config.logLevel, base: { program: "rdb-pd" } });
    const pd = await startPd(config, { clock: systemClock, random: systemRandom, logger, onFatal: fail });
    stopOnSignals(pd, logger);
    announce(pd);
  } catch (error) {
    fail(error);
  }
}

function readConfiguration(argv: readonly string[]): Configured<PdConfig> {
  const program = { settings: pdSettings, usage, parse: parsePdConfig };
  return configure(program, { argv, environment: process.env, columns: process.stdout.columns });
}

/** Whoever started it waits for this: a line on stdout, and a message if there is a channel. */
function announce({ address, httpAddress, clusterId }: RunningPd): void {
  const ready = { address, httpAddress, clusterId, pid: process.pid };
  process.stdout.write(
    `${JSON.stringify({ level: 30, time: Date.now(), program: "rdb-pd", ...ready, msg: "ready" })}\n`,
  );
  process.send?.({ type: "ready", ...ready });
}

function stopOnSignals(pd: RunningPd, logger: Logger): void {
  const stop = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, "stopping");
    pd.close().then(() => process.exit(0), fail);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

/** Exit codes. A supervisor need not try again with what is wrong usage. */
const FAILED = 1;
const WRONG_USAGE = 2;

function fail(error: unknown): never {
  const { code, message } = RdbError.from(error);
  const stack = error instanceof RdbError || !(error instanceof Error) ? "" : `\n${error.stack}`;
  process.stderr.write(`error: ${message} (${code})${stack}\n`);
  process.exit(code === "RDB_CONFIG_INVALID" ? WRONG_USAGE : FAILED);
}

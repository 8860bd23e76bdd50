import { type Logger, RdbError, hasCode, systemClock, systemRandom } from "@flaredb/rdb-base";
import { type Configured, configure, endWith } from "@flaredb/rdb-process";
import { type StoreConfig, parseStoreConfig } from "./config.ts";
import { storeSettings, usage } from "./flags.ts";
import { makeLogger } from "./logging.ts";
import type { RunningStore } from "./run-store.ts";
import { startStore } from "./start-store.ts";

/**
 * The process `rdb-server`: logs as JSON lines on stdout, ends on SIGTERM, SIGINT and once it was decommissioned in good
 * order, and on what it cannot live with by one line on stderr and exit code 1, or 2 when the command line or the config
 * file is wrong.
 */
export async function main(argv: readonly string[]): Promise<void> {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const stop = new AbortController();
  try {
    const configured = readConfiguration(argv);
    if (configured.kind === "end") {
      endWith(configured);
      return;
    }
    const { config } = configured;
    const logger = makeLogger(config.logLevel);
    const starting = startStore(config, {
      clock: systemClock,
      random: systemRandom,
      logger,
      onFatal: (error) => (error.code === "RDB_STORE_DECOMMISSIONED" ? retire(error) : fail(error)),
      signal: stop.signal,
    });
    const retire = ({ message }: RdbError): void => {
      logger.info({ reason: message }, "stopping: nothing is left here, and the data folder can be deleted");
      end(starting, stop);
    };
    stopOnSignals(starting, stop, logger);
    announce(await starting);
  } catch (error) {
    // A start that a signal ended is ended by its handler.
    if (!(stop.signal.aborted && hasCode(error, "RDB_CLOSED"))) {
      fail(error);
    }
  }
}

function readConfiguration(argv: readonly string[]): Configured<StoreConfig> {
  const program = { settings: storeSettings, usage, parse: parseStoreConfig };
  return configure(program, { argv, environment: process.env, columns: process.stdout.columns });
}

/** Whoever started it waits for this: a line on stdout, and a message if there is a channel. */
function announce({ ident, address, httpAddress }: RunningStore): void {
  const { storeId, clusterId } = ident;
  const ready = { storeId, clusterId, address, httpAddress, pid: process.pid };
  process.stdout.write(
    `${JSON.stringify({ level: 30, time: Date.now(), program: "rdb-server", ...ready, msg: "ready" })}\n`,
  );
  process.send?.({ type: "ready", ...ready });
}

/** Also a start that still waits for PD ends in good order. */
function stopOnSignals(starting: Promise<RunningStore>, stop: AbortController, logger: Logger): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, "stopping");
    end(starting, stop);
  };
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
}

function end(starting: Promise<RunningStore>, stop: AbortController): void {
  stop.abort();
  starting
    .then((running) => running.close())
    .then(
      () => process.exit(0),
      (error: unknown) => (hasCode(error, "RDB_CLOSED") ? process.exit(0) : fail(error)),
    );
}

/** Exit codes. A supervisor need not try again with what is wrong usage. */
const FAILED = 1;
const WRONG_USAGE = 2;

function fail(error: unknown): never {
  const { code, message } = RdbError.from(error);
  // What is no RdbError is a fault of the program: its stack says where.
  const stack = error instanceof RdbError || !(error instanceof Error) ? "" : `\n${error.stack}`;
  process.stderr.write(`error: ${message} (${code})${stack}\n`);
  process.exit(code === "RDB_CONFIG_INVALID" ? WRONG_USAGE : FAILED);
}

import { hasCode, systemClock, systemRandom } from "@flaredb/rdb-base";
import {
  ConfigReloader,
  ProcessLogger,
  configure,
  endWith,
  exitCodes,
  fail,
  onSignals,
} from "@flaredb/rdb-process";
import { processTls } from "@flaredb/rdb-wire";
import { type PdConfig, parsePdConfig } from "./config.ts";
import { pdSettings, usage } from "./flags.ts";
import type { RunningPd } from "./run-pd.ts";
import { type Interposition, startPd } from "./start-pd.ts";

/**
 * The process `rdb-pd`: logs as JSON lines on stdout, ends on SIGTERM and SIGINT in good order, and on what it cannot
 * live with by one line on stderr and exit code 1; 2 when the command line or the config file is wrong. SIGHUP: the
 * config file and the TLS files are read again.
 *
 * @param interposition for programs of tests, which break things on purpose
 */
export async function main(argv: readonly string[], interposition: Interposition = {}): Promise<void> {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const stop = new AbortController();
  try {
    const surroundings = { argv, environment: process.env, columns: process.stdout.columns };
    const configured = configure(program, surroundings);
    if (configured.kind === "end") {
      endWith(configured);
      return;
    }
    const { config, reading } = configured;
    const logger = ProcessLogger.of("rdb-pd", config.logLevel);
    const tls = processTls(config.tls, { clock: systemClock, logger });
    const { signal } = stop;
    const clock = interposition.clock?.(systemClock) ?? systemClock;
    const ports = { clock, random: systemRandom, logger, tls, interposition, onFatal: fail, signal };
    const starting = startPd(config, ports);
    const apply = ({ logLevel }: PdConfig): void => {
      logger.level = logLevel;
    };
    const reloader = new ConfigReloader({ program, surroundings, reading, logger, apply });
    onSignals({
      stop: (signal) => {
        logger.info({ signal }, "stopping");
        end(starting, stop);
      },
      reload: () => {
        void tls?.reload();
        reloader.reload();
      },
    });
    announce(await starting);
  } catch (error) {
    // A start that a signal ended is ended by its handler.
    if (!(stop.signal.aborted && hasCode(error, "RDB_CLOSED"))) {
      fail(error);
    }
  }
}

/** How its settings are read. */
const program = { settings: pdSettings, usage, parse: parsePdConfig };

/** Whoever started it waits for this: a line on stdout, and a message if there is a channel. */
function announce({ address, httpAddress, clusterId }: RunningPd): void {
  const ready = { address, httpAddress, clusterId, pid: process.pid };
  process.stdout.write(
    `${JSON.stringify({ level: 30, time: Date.now(), program: "rdb-pd", ...ready, msg: "ready" })}\n`,
  );
  process.send?.({ type: "ready", ...ready });
}

/** Also a start that still waits for the other members ends in good order. */
function end(starting: Promise<RunningPd>, stop: AbortController): void {
  stop.abort();
  starting
    .then((pd) => pd.close())
    .then(
      () => process.exit(exitCodes.done),
      (error: unknown) => (hasCode(error, "RDB_CLOSED") ? process.exit(exitCodes.done) : fail(error)),
    );
}

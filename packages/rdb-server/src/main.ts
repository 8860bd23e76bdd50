import { type RdbError, hasCode, systemClock, systemRandom } from "@flaredb/rdb-base";
import {
  ConfigReloader,
  type ConfigReloaderOptions,
  ProcessLogger,
  configure,
  endWith,
  exitCodes,
  fail,
  onSignals,
} from "@flaredb/rdb-process";
import { type TlsIdentity, processTls } from "@flaredb/rdb-wire";
import { type StoreConfig, parseStoreConfig } from "./config.ts";
import { storeSettings, usage } from "./flags.ts";
import { tuneGarbageCollection } from "./garbage-collection.ts";
import type { RunningStore } from "./run-store.ts";
import { type Interposition, startStore } from "./start-store.ts";

/**
 * The process `rdb-server`: logs as JSON lines on stdout, ends on SIGTERM, SIGINT and once it was decommissioned in good
 * order, and on what it cannot live with by one line on stderr and exit code 1, or 2 when the command line or the config
 * file is wrong. SIGHUP: the config file and the TLS files are read again.
 *
 * @param interposition for programs of tests, which break things on purpose
 */
export async function main(argv: readonly string[], interposition: Interposition = {}): Promise<void> {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  tuneGarbageCollection();
  const stop = new AbortController();
  try {
    const surroundings = { argv, environment: process.env, columns: process.stdout.columns };
    const configured = configure(program, surroundings);
    if (configured.kind === "end") {
      endWith(configured);
      return;
    }
    const { config, reading } = configured;
    const logger = ProcessLogger.of("rdb-server", config.logLevel);
    const tls = processTls(config.tls, { clock: systemClock, logger });
    const starting = startStore(config, {
      clock: interposition.clock?.(systemClock) ?? systemClock,
      random: systemRandom,
      logger,
      tls,
      interposition,
      onFatal: (error) => (error.code === "RDB_STORE_DECOMMISSIONED" ? retire(error) : fail(error)),
      signal: stop.signal,
    });
    const retire = ({ message }: RdbError): void => {
      logger.info(
        { reason: message },
        "stopping: the cluster does not need this Store or its data folder any more",
      );
      end(starting, stop);
    };
    listenToSignals({ starting, stop, logger, tls }, { program, surroundings, reading, logger });
    announce(await starting);
  } catch (error) {
    // A start that a signal ended is ended by its handler.
    if (!(stop.signal.aborted && hasCode(error, "RDB_CLOSED"))) {
      fail(error);
    }
  }
}

/** How its settings are read. */
const program = { settings: storeSettings, usage, parse: parseStoreConfig };

/** Whoever started it waits for this: a line on stdout, and a message if there is a channel. */
function announce({ ident, address, httpAddress }: RunningStore): void {
  const { storeId, clusterId } = ident;
  const ready = { storeId, clusterId, address, httpAddress, pid: process.pid };
  process.stdout.write(
    `${JSON.stringify({ level: 30, time: Date.now(), program: "rdb-server", ...ready, msg: "ready" })}\n`,
  );
  process.send?.({ type: "ready", ...ready });
}

interface Running {
  readonly starting: Promise<RunningStore>;
  readonly stop: AbortController;
  readonly logger: ProcessLogger;
  readonly tls: TlsIdentity | undefined;
}

/** Also a start that still waits for PD ends in good order; what is to be read again, it reads when it is done. */
function listenToSignals(
  { starting, stop, logger, tls }: Running,
  settings: Omit<ConfigReloaderOptions<StoreConfig>, "apply">,
): void {
  const reloading = starting.then((running) => {
    const apply = (config: StoreConfig): void => {
      logger.level = config.logLevel;
      running.reconfigure(config);
    };
    return new ConfigReloader({ ...settings, apply });
  });
  onSignals({
    stop: (signal) => {
      logger.info({ signal }, "stopping");
      end(starting, stop);
    },
    reload: () => {
      void tls?.reload();
      reloading.then((reloader) => reloader.reload()).catch(passOverFailedStart);
    },
  });
  reloading.catch(passOverFailedStart);
}

/** `main` tells of it, and ends. */
function passOverFailedStart(): void {}

function end(starting: Promise<RunningStore>, stop: AbortController): void {
  stop.abort();
  starting
    .then((running) => running.close())
    .then(
      () => process.exit(exitCodes.done),
      (error: unknown) => (hasCode(error, "RDB_CLOSED") ? process.exit(exitCodes.done) : fail(error)),
    );
}

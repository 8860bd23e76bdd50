import { type Clock, KiB, MiB } from "@flaredb/rdb-base";
import { type RawEngine, type RocksOptions, openRocksEngine, readDiskSpace } from "@flaredb/rdb-storage";
import { type TlsIdentity, type Wire, httpWire, httpsServerFactory, isLoopback } from "@flaredb/rdb-wire";
import type { PdConfig } from "./config.ts";
import { noDataReader, storeDataReader } from "./data/data-reader.ts";
import { noDataWriter, storeDataWriter } from "./data/data-writer.ts";
import { readAdminToken } from "./http/admin-token.ts";
import { HttpServer } from "./http/http-server.ts";
import type { PlacementDriver } from "./placement-driver.ts";
import { ProcessWatch } from "./metrics/process-watch.ts";
import { checkPortFree } from "./port-check.ts";
import { type PdPorts, type RunningPd, runPd } from "./run-pd.ts";
import { askStoreFlow, askStorePeer } from "./traffic/ask-store.ts";
import { Traffic } from "./traffic/traffic.ts";

/** PD's rows are small and read once, at start; everything else is in memory anyway. */
const engineMemory: RocksOptions = {
  blockCacheBytes: 4 * MiB,
  memtableBytes: {
    raft_log: 4 * MiB,
    data: 4 * MiB,
    raft_state: 1 * MiB,
    region: 1 * MiB,
    session: 256 * KiB,
  },
  backgroundThreads: 1,
};

/**
 * What a test may put between a PD's process and its machine, to break it; each gets what is real. Only programs of tests
 * do: no setting of `rdb-pd` leads here.
 */
export interface Interposition {
  readonly clock?: (clock: Clock) => Clock;
  readonly wire?: (wire: Wire) => Wire;
  readonly rawEngine?: (raw: RawEngine) => RawEngine;
}

/** What the process of a PD gets from whoever starts it. */
export interface PdProcessPorts extends Pick<PdPorts, "clock" | "random" | "logger" | "onFatal" | "signal"> {
  /** On everything that it listens on and calls; undefined: nothing is encrypted. */
  readonly tls?: TlsIdentity | undefined;
  /** Default: nothing stands between. */
  readonly interposition?: Omit<Interposition, "clock">;
}

/**
 * A PD in a process of its own: on HTTP/2 and on its data folder, with its HTTP endpoint around it. A refused start
 * leaves nothing open.
 *
 * @throws RdbError as `runPd`; RDB_CONFIG_INVALID for a token that cannot be read
 */
export async function startPd(config: PdConfig, ports: PdProcessPorts): Promise<RunningPd> {
  const { host, port, httpPort, dataDir, adminTokenFile } = config;
  const token = adminTokenFile === undefined ? undefined : readAdminToken(adminTokenFile);
  if (token === undefined && !isLoopback(host)) {
    ports.logger.warn({ host }, "the admin API answers nobody: adminTokenFile is not set");
  }
  // Ports first: one that is taken ends the start before anything on disk is touched.
  await checkPortFree(host, port);
  const watch = new ProcessWatch();
  const http = new HttpServer({
    metrics: () => watch.render(),
    host,
    port: httpPort,
    limits: config.listen,
    dropped: watch.listen.httpConnectionsDropped,
    token,
    serverFactory: httpsServerFactory(ports.tls, ports.logger),
  });
  await http.listen();
  watch.start();
  const { interposition } = ports;
  const wire = httpWire(ports.tls);
  const interposed = interposition?.rawEngine && { interpose: interposition.rawEngine };
  let running: RunningPd;
  try {
    running = await runPd(config, {
      ...ports,
      wire: interposition?.wire?.(wire) ?? wire,
      askStorePeer: askStorePeer(ports.tls, ports.clock),
      openEngine: (onFatal) =>
        openRocksEngine({ path: dataDir, clock: ports.clock, onFatal, ...engineMemory, ...interposed }),
      freeBytes: async () => (await readDiskSpace(dataDir)).freeBytes,
      httpAddress: http.address,
      metrics: watch.metrics,
      listenCounts: watch.listen,
    });
  } catch (error) {
    await http.close();
    watch.stop();
    throw error;
  }
  const driver = (): PlacementDriver => running.driver;
  const traffic = new Traffic({ clock: ports.clock, askStore: askStoreFlow(ports.tls, ports.clock), driver });
  const { dataAccess } = config;
  const data = dataAccess === "off" ? noDataReader : storeDataReader(ports.tls, driver);
  const dataWriter =
    dataAccess === "write" ? storeDataWriter(ports.tls, driver, ports.logger) : noDataWriter(dataAccess);
  http.show({
    ...{ calls: running.calls, group: running.group, traffic, data, dataWriter },
    get driver() {
      return running.driver;
    },
  });
  traffic.start();
  watch.show(running);
  const close = async (): Promise<void> => {
    traffic.close();
    await Promise.all([running.close(), http.close()]);
    watch.stop();
  };
  let closing: Promise<void> | undefined;
  const { clusterId, address, httpAddress, calls, group } = running;
  return {
    ...{ clusterId, address, httpAddress, calls, group },
    get driver() {
      return running.driver;
    },
    close: () => (closing ??= close()),
  };
}

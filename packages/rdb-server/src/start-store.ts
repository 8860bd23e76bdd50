import type { Clock, Logger } from "@flaredb/rdb-base";
import type { RawEngine } from "@flaredb/rdb-storage";
import { type TlsIdentity, type Wire, httpWire, httpsServerFactory } from "@flaredb/rdb-wire";
import { reachedAt } from "@flaredb/rdb-process";
import type { StoreConfig } from "./config.ts";
import { folderDisk } from "./folder-disk.ts";
import { HealthServer } from "./health.ts";
import { ProcessWatch } from "./metrics/process-watch.ts";
import { MemoryTrimmer, v8Collector } from "./memory-trimmer.ts";
import { holdReserve } from "./open-engine.ts";
import { type RunningStore, type StorePorts, runStore } from "./run-store.ts";
import type { StoreHealth } from "./store/store-handle.ts";

/**
 * What a test may put between a Store's process and its machine, to break it; each gets what is real. Only programs of
 * tests do: no setting of `rdb-server` leads here.
 */
export interface Interposition {
  readonly clock?: (clock: Clock) => Clock;
  readonly wire?: (wire: Wire) => Wire;
  readonly rawEngine?: (raw: RawEngine) => RawEngine;
}

/** What the process of a Store gets from whoever starts it. */
export interface StoreProcessPorts
  extends Pick<StorePorts, "clock" | "random" | "logger" | "onFatal" | "signal"> {
  /** On everything that it listens on and calls; undefined: nothing is encrypted. */
  readonly tls?: TlsIdentity | undefined;
  /** Default: nothing stands between. */
  readonly interposition?: Omit<Interposition, "clock">;
}

/**
 * A Store in a process of its own: on HTTP/2 and on its data folder, with the health endpoint around it.
 *
 * @throws RdbError as `runStore`
 */
export async function startStore(config: StoreConfig, ports: StoreProcessPorts): Promise<RunningStore> {
  const { host, httpPort } = config;
  const { tls, logger, interposition } = ports;
  const wire = httpWire(tls);
  // Ports first, this one and the Store's own: one that is taken ends the start before anything on disk is touched.
  const watch = new ProcessWatch();
  const http = new HealthServer({
    ...{ host, port: httpPort, serverFactory: httpsServerFactory(tls, logger), limits: config.listen },
    dropped: watch.listen.httpConnectionsDropped,
    metrics: () => watch.render(),
  });
  await http.listen();
  watch.start();
  let running: RunningStore;
  try {
    running = await runStore(config, {
      ...ports,
      wire: interposition?.wire?.(wire) ?? wire,
      disk: folderDisk(config, { ...ports, metrics: watch.metrics, interpose: interposition?.rawEngine }),
      httpAddress: reachedAt(http.address, config.advertiseAddress ?? http.address),
      residentMemoryBytes: () => process.memoryUsage.rss(),
      metrics: watch.metrics,
      listenCounts: watch.listen,
      openTraces: traceOpener(config, logger),
    });
  } catch (error) {
    await http.close();
    watch.stop();
    throw error;
  }
  const { ident, address, store, pdIsConnected } = running;
  http.show({ ident, address, handle: store, pdIsConnected });
  watch.show(running);
  const holding = holdReserve({ ...ports, config });
  const trimmer = new MemoryTrimmer({
    clock: ports.clock,
    isQuiet: () => isQuiet(store.health()),
    heapBytes: () => {
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    },
    collect: v8Collector(),
  });
  trimmer.start();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    http.show(undefined);
    watch.show(undefined);
    trimmer.stop();
    await running.close();
    await holding;
    await http.close();
    watch.stop();
  };
  return { ...running, close: () => (closing ??= close()) };
}

/** Nothing is loaded for spans unless they are wanted. */
function traceOpener({ tracing }: StoreConfig, logger: Logger): StorePorts["openTraces"] {
  const { endpoint, queueMaxCount } = tracing;
  return endpoint === undefined
    ? undefined
    : async (storeId) => {
        const { OtlpSink } = await import("./tracing/otlp-sink.ts");
        return new OtlpSink({ storeId, logger, endpoint, queueMaxCount });
      };
}

/** PD evens leaders out and has peers compared: of thousands of Regions a few are awake at any time. */
const ASLEEP_MIN_PART = 0.98;

function isQuiet({ regionCount, asleepCount, pendingRequestCount }: StoreHealth): boolean {
  return asleepCount >= ASLEEP_MIN_PART * regionCount && pendingRequestCount === 0;
}

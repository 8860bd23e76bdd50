import { type PdConfig, type RunningPd, parsePdConfig, runPd } from "@flaredb/rdb-pd";
import { StreamEngine } from "@flaredb/rdb-storage";
import type { SimDisk } from "./sim-disk.ts";
import type { Program } from "./sim-process.ts";
import { HTTP_PORT, RPC_PORT } from "./store-program.ts";

/** The production placement driver on a simulated disk. */
export function pdProgram(config: PdConfig, disk: SimDisk): Program<RunningPd> {
  return {
    start: ({ clock, random, logger, wire, onFatal }) =>
      runPd(config, {
        ...{ clock, random, logger, wire, onFatal },
        openEngine: (onWriteFailed) =>
          Promise.resolve(new StreamEngine(disk.open(clock), { clock, onFatal: onWriteFailed })),
        httpAddress: `${config.host}:${HTTP_PORT}`,
      }),
    stop: (running) => running.close(),
  };
}

/** PD's configuration: it places these Regions once all Stores are there. */
export function pdConfig(
  host: string,
  options: {
    readonly storeCount: number;
    readonly replicaCount: number;
    readonly splitKeys: readonly string[];
  },
): PdConfig {
  return parsePdConfig({
    host,
    port: RPC_PORT,
    dataDir: host,
    insecure: true,
    bootstrapStores: options.storeCount,
    replicas: options.replicaCount,
    initialSplitKeys: [...options.splitKeys],
  });
}

import { type Clock, KiB, type Logger, MiB, type Random, RdbError, peerId } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { type RocksOptions, openRocksEngine } from "@flaredb/rdb-storage";
import { RpcServer, formatAddress } from "@flaredb/rdb-wire";
import { ClusterState } from "./cluster/cluster-state.ts";
import type { PdConfig } from "./config.ts";
import { HttpServer } from "./http/http-server.ts";
import { PdRaft } from "./member/pd-raft.ts";
import { PdStorage } from "./member/pd-storage.ts";
import { randomId } from "./member/random-id.ts";
import { PlacementDriver } from "./placement-driver.ts";
import { checkPortFree } from "./port-check.ts";
import { type MemberInfo, pdService } from "./rpc/pd-service.ts";

/** The only member, until more can be configured. */
const MEMBER_ID = peerId(1);
/** How long open calls may go on once PD stops. */
const CLOSE_GRACE_MS = 1_000;

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

/** What PD needs of the world. */
export interface PdPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called once when the disk failed: nothing is acknowledged any more, the process has to end. */
  readonly onFatal: (error: RdbError) => void;
}

/** A PD that serves. */
export interface RunningPd {
  readonly clusterId: number;
  /** host:port of its RPC endpoint, as others reach it. */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  /** Ends streams and servers, writes everything, frees the folder. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the data folder, elects itself, and serves. A refused start leaves nothing open.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE; RDB_DATA_LOCKED, RDB_DATA_FORMAT, RDB_DATA_FOREIGN or RDB_DATA_CORRUPT by the
 * data folder; RDB_STORAGE_FAILED
 */
export async function startPd(config: PdConfig, ports: PdPorts): Promise<RunningPd> {
  await checkPortFree(config.host, config.port);
  await checkPortFree(config.host, config.httpPort);
  const raft = await openRaft(config, ports);
  try {
    return await serve(config, ports, raft);
  } catch (error) {
    await raft.log.close();
    throw error;
  }
}

interface OpenedRaft {
  readonly log: PdRaft;
  readonly cluster: ClusterState;
}

async function openRaft(config: PdConfig, ports: PdPorts): Promise<OpenedRaft> {
  const { clock, random, logger, onFatal } = ports;
  const engine = await openRocksEngine({ path: config.dataDir, clock, onFatal, ...engineMemory });
  let storage: PdStorage;
  try {
    storage = await PdStorage.open(engine, MEMBER_ID);
  } catch (error) {
    await engine.close();
    throw RdbError.from(error);
  }
  const log = new PdRaft({ memberId: MEMBER_ID, storage, clock, random, logger, ...config.raft });
  return { log, cluster: new ClusterState(storage.state, clock.monotonicMs()) };
}

async function serve(config: PdConfig, ports: PdPorts, { log, cluster }: OpenedRaft): Promise<RunningPd> {
  const { clock, logger } = ports;
  log.start();
  await log.serving;
  await configure(config, ports, log, cluster);
  const driver = new PlacementDriver({ cluster, log, clock, logger });
  const members = (): MemberInfo[] => [
    { id: MEMBER_ID, name: config.name, address: address(), httpAddress: http.address },
  ];
  const rpc = new RpcServer({
    host: config.host,
    port: config.port,
    logger,
    clock,
    routes: (router) =>
      router.service(PdService, pdService({ driver, members, wallMs: () => clock.wallMs() })),
  });
  const http = new HttpServer({ host: config.host, port: config.httpPort, driver, members });
  const address = (): string => config.advertiseAddress ?? formatAddress(config.host, rpc.port);
  const closeServers = async (): Promise<void> => {
    driver.close();
    await Promise.all([rpc.close(CLOSE_GRACE_MS), http.close()]);
  };
  const close = async (): Promise<void> => {
    await closeServers();
    await log.close();
  };
  try {
    await http.listen();
    await rpc.listen();
  } catch (error) {
    await closeServers();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    clusterId: driver.clusterId,
    address: address(),
    httpAddress: http.address,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Draws the cluster's id at its first start, and takes over what the configuration says of its bootstrap. */
async function configure(
  config: PdConfig,
  { random, logger }: PdPorts,
  log: PdRaft,
  cluster: ClusterState,
): Promise<void> {
  if (cluster.durable.cluster.clusterId === 0) {
    const { clusterId } = await log.propose({ kind: "InitializeCluster", clusterId: randomId(random) });
    logger.info({ cluster: clusterId }, "new cluster");
  }
  const { bootstrapped } = cluster.durable.cluster;
  if (!bootstrapped) {
    await log.propose({
      kind: "ConfigureCluster",
      config: {
        bootstrapStoreCount: config.bootstrapStores,
        replicaCount: config.replicas,
        initialRanges: config.initialRanges,
      },
    });
  }
}

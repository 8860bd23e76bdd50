import { type Clock, type Logger, type Random, RdbError, peerId } from "@flaredb/rdb-base";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import type { Engine } from "@flaredb/rdb-storage";
import { type Wire, formatAddress } from "@flaredb/rdb-wire";
import { ClusterState } from "./cluster/cluster-state.ts";
import type { PdConfig } from "./config.ts";
import { PdRaft } from "./member/pd-raft.ts";
import { PdStorage } from "./member/pd-storage.ts";
import { randomId } from "./member/random-id.ts";
import { PlacementSettings } from "./placement/placement-settings.ts";
import { PlacementDriver } from "./placement-driver.ts";
import { pdAdminService } from "./rpc/pd-admin-service.ts";
import { type MemberInfo, pdService } from "./rpc/pd-service.ts";

/** The only member, until more can be configured. */
const MEMBER_ID = peerId(1);
/** How long open calls may go on once PD stops. */
const CLOSE_GRACE_MS = 1_000;

/** What PD needs of the world, whether that is real or simulated. */
export interface PdPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called once when the disk failed: nothing is acknowledged any more, the process has to end. */
  readonly onFatal: (error: RdbError) => void;
  readonly wire: Wire;
  /**
   * Opens the database, once for each run of PD.
   *
   * @param onFatal a write or sync failed
   * @throws RdbError RDB_DATA_LOCKED, RDB_DATA_FORMAT, RDB_DATA_FOREIGN or RDB_DATA_CORRUPT; RDB_STORAGE_FAILED
   */
  readonly openEngine: (onFatal: (error: RdbError) => void) => Promise<Engine>;
  /** host:port of the process's HTTP endpoint, which clients are told. */
  readonly httpAddress: string;
}

/** A PD that serves. */
export interface RunningPd {
  readonly clusterId: number;
  /** host:port of its RPC endpoint, as others reach it. */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  readonly driver: PlacementDriver;
  readonly members: readonly MemberInfo[];
  /** Ends streams and servers, writes everything, frees the disk. Idempotent. */
  close(): Promise<void>;
}

/**
 * PD, without what only a real process has (see `startPd`): opens its disk, elects itself, and serves. A refused start
 * leaves nothing open.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE; what `openEngine` throws
 */
export async function runPd(config: PdConfig, ports: PdPorts): Promise<RunningPd> {
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
  readonly settings: PlacementSettings;
}

async function openRaft(config: PdConfig, ports: PdPorts): Promise<OpenedRaft> {
  const { clock, random, logger } = ports;
  const engine = await ports.openEngine(ports.onFatal);
  let storage: PdStorage;
  try {
    storage = await PdStorage.open(engine, MEMBER_ID);
  } catch (error) {
    await engine.close();
    throw RdbError.from(error);
  }
  const log = new PdRaft({ memberId: MEMBER_ID, storage, clock, random, logger, ...config.raft });
  const settings = new PlacementSettings(config.placement, storage.state);
  const downAfterMs = (): number => settings.current.maxStoreDownTimeMs;
  return { log, settings, cluster: new ClusterState(storage.state, clock.monotonicMs(), downAfterMs) };
}

async function serve(config: PdConfig, ports: PdPorts, opened: OpenedRaft): Promise<RunningPd> {
  const { log, cluster, settings } = opened;
  const { random, wire, clock, logger, httpAddress } = ports;
  log.start();
  await log.serving;
  await configure(config, ports, log, cluster);
  const driver = new PlacementDriver({ cluster, log, settings, clock, random, logger });
  await driver.start();
  const members = (): MemberInfo[] => [{ id: MEMBER_ID, name: config.name, address: address(), httpAddress }];
  const rpc = wire.serve({
    host: config.host,
    port: config.port,
    logger,
    clock,
    routes: (router) => {
      router.service(PdService, pdService({ driver, members, wallMs: () => clock.wallMs() }));
      router.service(PdAdminService, pdAdminService(driver.admin));
    },
  });
  const address = (): string => config.advertiseAddress ?? formatAddress(config.host, rpc.port);
  try {
    await rpc.listen();
  } catch (error) {
    driver.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    driver.close();
    await rpc.close(CLOSE_GRACE_MS);
    await log.close();
  };
  return {
    ...{ clusterId: driver.clusterId, address: address(), httpAddress, driver, members: members() },
    close: () => (closing ??= close()),
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

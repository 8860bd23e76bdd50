import type { ServiceImpl } from "@connectrpc/connect";
import { type Clock, type Logger, type Random, RdbError } from "@flaredb/rdb-base";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import type { Engine } from "@flaredb/rdb-storage";
import { type ListenCounts, type Wire, type WireServer, formatAddress } from "@flaredb/rdb-wire";
import type { PdConfig } from "./config.ts";
import { Leadership } from "./leadership.ts";
import { handOver } from "./member/hand-over.ts";
import type { MemberStatus } from "./member/member-info.ts";
import { MemberKeeper } from "./member/member-keeper.ts";
import type { PdRaft } from "./member/pd-raft.ts";
import { type PdMember, openMember } from "./member/pd-member.ts";
import { RoomWatch } from "./member/room-watch.ts";
import { type PdMetrics, makePdMetrics } from "./metrics/pd-metrics.ts";
import type { PlacementDriver } from "./placement-driver.ts";
import { type DirectCalls, directCalls } from "./rpc/direct-calls.ts";
import { leaderOnly } from "./rpc/leader-only.ts";
import { askRegionPeers } from "./admin/region-peers.ts";
import { type AskStorePeer, askNoStore } from "./traffic/ask-store.ts";
import { pdAdminService } from "./rpc/pd-admin-service.ts";
import { pdService } from "./rpc/pd-service.ts";

/** How long open calls may go on once PD stops. */
const CLOSE_GRACE_MS = 1_000;

/** What PD needs of the world, whether that is real or simulated. */
export interface PdPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * Called once when the disk failed, or the other members took this one out: nothing is acknowledged any more, the
   * process has to end.
   */
  readonly onFatal: (error: RdbError) => void;
  /** Gives up a start that still waits for the other members. */
  readonly signal?: AbortSignal;
  readonly wire: Wire;
  /**
   * Opens the database, once for each run of PD.
   *
   * @param onFatal a write or sync failed
   * @throws RdbError RDB_DATA_LOCKED, RDB_DATA_FORMAT, RDB_DATA_FOREIGN or RDB_DATA_CORRUPT; RDB_STORAGE_FAILED
   */
  readonly openEngine: (onFatal: (error: RdbError) => void) => Promise<Engine>;
  /** Room of the file system that the data lies on, bytes; may reject. Default: nobody looks. */
  readonly freeBytes?: (() => Promise<number>) | undefined;
  /** host:port of the process's HTTP endpoint, which clients are told. */
  readonly httpAddress: string;
  /** How a Store is asked for a peer. Default: it is not. */
  readonly askStorePeer?: AskStorePeer | undefined;
  /** What is counted with. Default: nobody looks. */
  readonly metrics?: PdMetrics | undefined;
  /** The newest cluster version that the program says it knows; less than this one does where a run plays an older one. */
  readonly newestClusterVersion?: number | undefined;
  /** What the RPC port counts of its callers with. Default: nobody looks. */
  readonly listenCounts?: ListenCounts | undefined;
}

/** A PD that serves, or follows the member that does. */
export interface RunningPd {
  readonly clusterId: number;
  /** host:port of its RPC endpoint, as others reach it. */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  /** @throws RdbError RDB_NOT_LEADER while this member does not lead */
  readonly driver: PlacementDriver;
  /** What its RPC does, without a wire between. Calls fail with RDB_NOT_LEADER while this member does not lead. */
  readonly calls: PdCalls;
  /** The placement driver's group, as this member knows it. */
  readonly group: RunningGroup;
  /** Ends streams and servers, writes everything, frees the disk. Idempotent. */
  close(): Promise<void>;
}

/** What the leader answers, by service. */
interface PdCalls {
  readonly pd: DirectCalls<typeof PdService>;
  readonly admin: DirectCalls<typeof PdAdminService>;
}

/** What can be asked of any member. */
export interface RunningGroup {
  readonly memberId: number;
  /** 0 while none is known. */
  readonly leaderMemberId: number;
  /** Of the last applied entry. */
  readonly appliedIndex: number;
  readonly clusterId: number;
  /** Whether this member leads, and answers. */
  readonly isServing: boolean;
  members(): MemberStatus[];
}

/**
 * PD, without what only a real process has (see `startPd`): opens its disk, and serves once it is elected. Resolves
 * when the group has a cluster and a leader, whichever member that is. A refused start leaves nothing open.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE; what `openEngine` and `openMember` throw; RDB_CLOSED when `signal` fires
 */
export async function runPd(config: PdConfig, ports: PdPorts): Promise<RunningPd> {
  const engine = await ports.openEngine(ports.onFatal);
  // The port that was asked for, until the server says which it got.
  const endpoint = { port: config.port };
  const address = (): string =>
    config.advertiseAddress ??
    config.initialCluster?.find(({ name }) => name === config.name)?.address ??
    formatAddress(config.host, endpoint.port);
  const member = await openMember({
    ...ports,
    ...{ config, engine, address, onExcluded: once(ports.onFatal) },
  });
  const parts = assemble(config, ports, member);
  const listen = async (): Promise<void> => {
    await parts.rpc.listen();
    endpoint.port = parts.rpc.port;
  };
  try {
    const settled = (): Promise<void> => Promise.race([parts.settled, givenUp(ports.signal)]);
    await begin(member.log, settled, listen);
  } catch (error) {
    parts.leadership.close();
    await parts.rpc.close(CLOSE_GRACE_MS);
    await member.close();
    throw error;
  }
  parts.room?.start();
  return running(member, parts, { address: address(), httpAddress: ports.httpAddress });
}

/** Rejects when the signal fires. */
function givenUp(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const giveUp = (): void => reject(new RdbError("RDB_CLOSED", "the start was given up"));
    if (signal?.aborted === true) {
      giveUp();
    } else {
      signal?.addEventListener("abort", giveUp, { once: true });
    }
  });
}

interface Parts {
  readonly leadership: Leadership;
  readonly rpc: WireServer;
  readonly calls: PdCalls;
  readonly clock: Clock;
  readonly room: RoomWatch | undefined;
  /** This member serves, or follows who does, in a cluster that has its id. */
  readonly settled: Promise<void>;
}

function assemble(config: PdConfig, ports: PdPorts, member: PdMember): Parts {
  const { wire, clock, random, logger, metrics = makePdMetrics(), askStorePeer = askNoStore } = ports;
  const { log, storage, roster, transport } = member;
  const keeper = new MemberKeeper({ log, roster, clock, logger });
  let services: LeaderServices | undefined;
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const leadership = new Leadership({
    ...{ log, storage, clock, random, logger, metrics, placement: config.placement },
    clusterConfig: {
      bootstrapStoreCount: config.bootstrapStores,
      replicaCount: config.replicas,
      initialRanges: config.initialRanges,
    },
    members: () =>
      roster.members().map(({ id, name, clusterVersion }) => ({
        name: `PD member ${name === "" ? id : name}`,
        clusterVersion,
      })),
    onServing: (driver) => {
      services = {
        pd: pdService({ driver, members: () => roster.members(), wallMs: () => clock.wallMs() }),
        admin: pdAdminService(driver.admin, keeper, (id) => askRegionPeers(driver.lookup, askStorePeer, id)),
      };
      metrics.leaderChanges.value++;
      keeper.start();
      settle();
    },
    onEnded: () => {
      services = undefined;
      keeper.stop();
    },
  });
  log.watch({
    leads: () => leadership.begin(),
    follows: () => leadership.end(),
    advanced: () => {
      const { leaderMemberId, memberId } = log;
      if (leaderMemberId !== 0 && leaderMemberId !== memberId && storage.state.cluster.clusterId !== 0) {
        settle();
      }
    },
  });
  const current = (): LeaderServices => services ?? leadership.refuse();
  const rpc = wire.serve({
    ...{ host: config.host, port: config.port, logger, clock, limits: config.listen },
    counts: ports.listenCounts,
    routes: (router) => {
      router.service(
        PdService,
        leaderOnly(PdService, () => current().pd),
      );
      router.service(
        PdAdminService,
        leaderOnly(PdAdminService, () => current().admin),
      );
    },
  });
  transport.serve(rpc);
  const calls: PdCalls = {
    pd: directCalls(PdService, () => current().pd),
    admin: directCalls(PdAdminService, () => current().admin),
  };
  const { freeBytes } = ports;
  const room = freeBytes && new RoomWatch({ freeBytes, log, roster, clock, logger });
  return { leadership, rpc, calls, clock, room, settled };
}

/** What only the leader answers. */
interface LeaderServices {
  readonly pd: ServiceImpl<typeof PdService>;
  readonly admin: ServiceImpl<typeof PdAdminService>;
}

/** A lone member listens when it serves; one of several has to hear the others before. */
async function begin(log: PdRaft, settled: () => Promise<void>, listen: () => Promise<void>): Promise<void> {
  if (log.isAlone) {
    log.start();
    await settled();
    await listen();
  } else {
    await listen();
    log.start();
    await settled();
  }
}

function running(
  member: PdMember,
  { leadership, rpc, calls, clock, room }: Parts,
  addresses: { readonly address: string; readonly httpAddress: string },
): RunningPd {
  const { log, storage, roster } = member;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    room?.stop();
    await handOver(log, roster, clock);
    leadership.close();
    await rpc.close(CLOSE_GRACE_MS);
    await member.close();
  };
  return {
    clusterId: storage.state.cluster.clusterId,
    ...addresses,
    calls,
    get driver() {
      return leadership.driver;
    },
    group: {
      memberId: log.memberId,
      get leaderMemberId() {
        return log.leaderMemberId;
      },
      get appliedIndex() {
        return log.appliedIndex;
      },
      get clusterId() {
        return storage.state.cluster.clusterId;
      },
      get isServing() {
        return leadership.isServing;
      },
      members: () => roster.members(),
    },
    close: () => (closing ??= close()),
  };
}

function once(tell: (error: RdbError) => void): (error: RdbError) => void {
  let isTold = false;
  return (error) => {
    if (!isTold) {
      isTold = true;
      tell(error);
    }
  };
}

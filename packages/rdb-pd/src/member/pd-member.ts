import {
  type Clock,
  type Logger,
  type PeerId,
  type Random,
  RdbError,
  clusterVersions,
  peerId,
} from "@flaredb/rdb-base";
import { type Engine, readIdentOf } from "@flaredb/rdb-storage";
import type { Wire } from "@flaredb/rdb-wire";
import type { PdConfig } from "../config.ts";
import { findSelf } from "./find-self.ts";
import { removedError } from "./member-check.ts";
import { type MemberIdentity, configuredIdentity, joiningIdentity } from "./member-identity.ts";
import type { MemberInfo } from "./member-info.ts";
import type { PdMetrics } from "../metrics/pd-metrics.ts";
import { MemberRoster } from "./member-roster.ts";
import { MemberTransport } from "./member-transport.ts";
import { PdRaft } from "./pd-raft.ts";
import { PdStorage } from "./pd-storage.ts";

export interface PdMemberOptions {
  readonly config: PdConfig;
  /** The member's from here on: `close` closes it, and so does a refused `openMember`. */
  readonly engine: Engine;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: nobody looks. */
  readonly metrics?: PdMetrics | undefined;
  /** What this program is said to know. Default: what it does. */
  readonly newestClusterVersion?: number | undefined;
  /** host:port at which others reach this member. Asked once it listens. */
  readonly address: () => string;
  readonly httpAddress: string;
  /** The group does not want this member, for good, or cannot trust it. May be called again. */
  readonly onExcluded: (error: RdbError) => void;
  /** Gives up asking the group that it joins. */
  readonly signal?: AbortSignal;
}

/** This process's part in PD's own group: its log and state on disk, and its way to the other members. */
export interface PdMember {
  readonly log: PdRaft;
  readonly storage: PdStorage;
  readonly roster: MemberRoster;
  readonly transport: MemberTransport;
  close(): Promise<void>;
}

/**
 * Reads what the folder holds. Nothing goes on before `log.start()`.
 *
 * @throws RdbError what `PdStorage.open` and `findSelf` throw; RDB_DATA_FOREIGN for a member that was removed;
 * RDB_CLOSED when `signal` fires
 */
export async function openMember(options: PdMemberOptions): Promise<PdMember> {
  try {
    const identity = await identify(options);
    const storage = await PdStorage.open(options.engine, identity);
    checkOwner(options.config, identity.memberId, storage);
    return assemble(options, identity, storage);
  } catch (error) {
    await options.engine.close();
    throw RdbError.from(error);
  }
}

/** A folder that was used knows whose it is, whatever became of the group since; only a new one has to be told. */
async function identify({ config, engine, ...ports }: PdMemberOptions): Promise<MemberIdentity> {
  const { name, initialCluster, join } = config;
  const ident = readIdentOf(engine, "PD");
  if (join === undefined) {
    const configured = configuredIdentity(name, initialCluster);
    const isTheirs = ident !== undefined && ident.memberId !== configured.memberId;
    return isTheirs ? joiningIdentity(ident.memberId) : configured;
  }
  return joiningIdentity(ident?.memberId ?? (await findSelf(name, join, ports)));
}

/**
 * @throws RdbError RDB_DATA_FOREIGN for the folder of a member that was removed, or of another one of the list;
 * RDB_CONFIG_INVALID for a list of several where one is alone: the others would found a cluster of their own
 */
function checkOwner({ name, initialCluster }: PdConfig, memberId: PeerId, { state, log }: PdStorage): void {
  const isLone =
    state.cluster.clusterId !== 0 && state.members.size === 0 && log.confState.voters.length === 1;
  if (isLone && initialCluster !== undefined && initialCluster.length > 1) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      "the data folder is that of a placement driver of one member: start it without initialCluster, and add the others with rdb pd add-member",
    );
  }
  const row = state.members.get(memberId);
  if (row?.isRemoved === true) {
    throw removedError(memberId);
  }
  const others = initialCluster?.filter((member) => member.name !== name) ?? [];
  if (row !== undefined && others.some((member) => member.name === row.name)) {
    throw new RdbError(
      "RDB_DATA_FOREIGN",
      `the data folder is that of PD member ${memberId} (${row.name}), this is ${name}`,
    );
  }
}

function assemble(options: PdMemberOptions, identity: MemberIdentity, storage: PdStorage): PdMember {
  const { config, wire, clock, random, logger, metrics, onExcluded } = options;
  const knownVersion = options.newestClusterVersion ?? clusterVersions.newest;
  const { memberId, initialCluster } = identity;
  const self = (): MemberInfo => ({
    id: memberId,
    name: config.name,
    address: options.address(),
    httpAddress: options.httpAddress,
  });
  const transport = new MemberTransport({
    ...{ wire, clock, random, logger },
    papers: () => ({
      ...{ self: self(), initialCluster, knownVersion },
      clusterId: storage.state.cluster.clusterId,
      clusterVersion: storage.state.clusterVersion,
    }),
    addressOf: (id) => roster.info(id)?.address || undefined,
    isRemoved: (id) => roster.isRemoved(id),
    hasServed: (id) => roster.hasServed(id),
  });
  const log = new PdRaft({
    ...{ memberId, storage, clock, random, logger, metrics, ...config.raft },
    send: (message) => transport.send(message),
    onExcluded,
  });
  const roster = new MemberRoster({ self, initial: identity.initial, log, storage, knownVersion });
  transport.handle({
    onMessage: (message) => log.step(message),
    onSender: (sender, clusterVersion) => roster.heard(sender, clusterVersion),
    onUnreachable: (id) => log.reportUnreachable(id),
    onRemoved: onExcluded,
  });
  for (const id of identity.firstVoters.filter((voter) => voter !== memberId)) {
    transport.connect(peerId(id));
  }
  return {
    ...{ log, storage, roster, transport },
    close: async () => {
      transport.close();
      await log.close();
    },
  };
}

import { type Clock, type Logger, type Random, RdbError, peerId } from "@flaredb/rdb-base";
import { type Engine, readIdentOf } from "@flaredb/rdb-storage";
import type { Wire } from "@flaredb/rdb-wire";
import type { PdConfig } from "../config.ts";
import { findSelf } from "./find-self.ts";
import { removedError } from "./member-check.ts";
import { type MemberIdentity, configuredIdentity, joiningIdentity } from "./member-identity.ts";
import type { MemberInfo } from "./member-info.ts";
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
  /** host:port at which others reach this member. Asked once it listens. */
  readonly address: () => string;
  readonly httpAddress: string;
  /** The group does not want this member, for good, or cannot trust it. May be called again. */
  readonly onExcluded: (error: RdbError) => void;
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
 * @throws RdbError what `PdStorage.open` and `findSelf` throw; RDB_DATA_FOREIGN for a member that was removed
 */
export async function openMember(options: PdMemberOptions): Promise<PdMember> {
  try {
    const identity = await identify(options);
    const storage = await PdStorage.open(options.engine, identity);
    if (storage.state.members.get(identity.memberId)?.isRemoved === true) {
      throw removedError(identity.memberId);
    }
    return assemble(options, identity, storage);
  } catch (error) {
    await options.engine.close();
    throw RdbError.from(error);
  }
}

/** A folder that was used knows whose it is; only a new one has to be told. */
async function identify({ config, engine, wire, clock }: PdMemberOptions): Promise<MemberIdentity> {
  const { name, initialCluster, join } = config;
  const ident = readIdentOf(engine, "PD");
  if (initialCluster !== undefined || (join === undefined && ident === undefined)) {
    return configuredIdentity(name, initialCluster);
  }
  const memberId = ident?.memberId ?? (await findSelf(name, join ?? [], { wire, clock }));
  return joiningIdentity(memberId);
}

function assemble(options: PdMemberOptions, identity: MemberIdentity, storage: PdStorage): PdMember {
  const { config, wire, clock, random, logger, onExcluded } = options;
  const { memberId, initialCluster } = identity;
  const self = (): MemberInfo => ({
    id: memberId,
    name: config.name,
    address: options.address(),
    httpAddress: options.httpAddress,
  });
  const transport = new MemberTransport({
    ...{ wire, clock, random, logger },
    papers: () => ({ self: self(), clusterId: storage.state.cluster.clusterId, initialCluster }),
    addressOf: (id) => roster.info(id)?.address || undefined,
    isRemoved: (id) => roster.isRemoved(id),
    hasServed: (id) => roster.hasServed(id),
  });
  const log = new PdRaft({
    ...{ memberId, storage, clock, random, logger, ...config.raft },
    send: (message) => transport.send(message),
    onExcluded,
  });
  const roster = new MemberRoster({ self, initial: identity.initial, log, storage });
  transport.handle({
    onMessage: (message) => log.step(message),
    onSender: (sender) => roster.heard(sender),
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

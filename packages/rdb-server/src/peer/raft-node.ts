import type { Index, Logger, PeerId } from "@flaredb/rdb-base";
import { type RaftLogger, RawNode } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import type { RegionStatus } from "../store/store-handle.ts";
import { drawElectionTimeoutTicks } from "./election-timeout.ts";
import type { PeerContext } from "./peer-context.ts";

export interface RaftNodeOptions {
  readonly peerId: PeerId;
  readonly log: RaftLogStore;
  readonly logger: Logger;
  /** The last index that the Region has applied. */
  readonly appliedIndex: Index;
  /** The peer's place among those that could campaign, asked at each election. */
  electionRank(): { readonly rank: number; readonly count: number };
}

/** The Raft core of a peer, set up as every peer's is. */
export function makeRaftNode({ config, random }: PeerContext, options: RaftNodeOptions): RawNode {
  return new RawNode({
    id: options.peerId,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    storage: options.log,
    random,
    logger: raftLogger(options.logger),
    applied: options.appliedIndex,
    asyncStorageWrites: true,
    maxSizePerMessageBytes: config.raft.maxSizePerMessageBytes,
    maxInflightMessages: config.raft.maxInflightMessages,
    maxInflightBytes: config.raft.maxInflightBytes,
    maxUncommittedEntriesSizeBytes: config.raft.maxUncommittedBytes,
    checkQuorum: true,
    preVote: true,
    readOnlyOption: "Safe",
    commitWithNextMessage: true,
    disableProposalForwarding: true,
    stepDownOnRemoval: true,
    drawElectionTimeoutTicks: (ticks) => drawElectionTimeoutTicks(ticks, random, options.electionRank()),
  });
}

/** How the core stands, as a Region's status tells it. */
export function raftStatus(
  node: RawNode,
  log: RaftLogStore,
): Pick<RegionStatus, "term" | "leaderPeerId" | "isLeader" | "commitIndex" | "lastIndex" | "firstIndex"> {
  const { term, isLeader, commitIndex, lastIndex } = node;
  return { term, leaderPeerId: node.lead, isLeader, commitIndex, lastIndex, firstIndex: log.firstIndex() };
}

function raftLogger(logger: Logger): RaftLogger {
  return {
    debug: (message) => logger.debug({}, message),
    info: (message) => logger.debug({}, message),
    warn: (message) => logger.warn({}, message),
    error: (message) => logger.error({}, message),
  };
}

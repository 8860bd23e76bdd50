import { assert, type Index, type Random } from "@flaredb/rdb-base";
import type { RaftConfig } from "./config.ts";

/** Where no limit is given. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** A RaftConfig with every default in its place. */
export interface ResolvedConfig extends Required<Omit<RaftConfig, "applied">> {
  /** 0: whatever storage says was compacted is applied. */
  readonly applied: Index | 0;
}

/** Checks a configuration: one that breaks these rules is a programmer's error. */
export function validateConfig(config: RaftConfig): void {
  assert(Number(config.id) !== 0, "config: the id is not 0");
  assert(config.heartbeatTicks > 0, `config: heartbeatTicks ${config.heartbeatTicks} is > 0`);
  assert(
    config.electionTicks > config.heartbeatTicks,
    `config: electionTicks ${config.electionTicks} is > heartbeatTicks ${config.heartbeatTicks}`,
  );
  assert(
    config.maxInflightMessages >= 1,
    `config: maxInflightMessages ${config.maxInflightMessages} is >= 1`,
  );
  assert(
    (config.maxInflightBytes ?? NO_LIMIT) >= (config.maxSizePerMessageBytes ?? 0),
    `config: maxInflightBytes ${config.maxInflightBytes} is >= maxSizePerMessageBytes`,
  );
  assert(
    (config.maxCommittedSizePerReadyBytes ?? config.maxSizePerMessageBytes ?? NO_LIMIT) > 0,
    "config: maxCommittedSizePerReadyBytes is > 0",
  );
  assert(
    config.readOnlyOption !== "LeaseBased" || config.checkQuorum === true,
    "config: checkQuorum is on when readOnlyOption is LeaseBased",
  );
}

/** Checks a configuration and fills in its defaults. */
export function resolveConfig(config: RaftConfig): ResolvedConfig {
  validateConfig(config);
  const maxSizePerMessageBytes = config.maxSizePerMessageBytes ?? NO_LIMIT;
  return {
    id: config.id,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    storage: config.storage,
    random: config.random,
    logger: config.logger,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    eagerVoteRequests: config.eagerVoteRequests ?? false,
    commitByRefusal: config.commitByRefusal ?? true,
    repeatVoteRequests: config.repeatVoteRequests ?? true,
    runInstead: config.runInstead ?? true,
    commitWithNextMessage: config.commitWithNextMessage ?? false,
    maxSizePerMessageBytes,
    maxCommittedSizePerReadyBytes: config.maxCommittedSizePerReadyBytes ?? maxSizePerMessageBytes,
    maxUncommittedEntriesSizeBytes: config.maxUncommittedEntriesSizeBytes ?? NO_LIMIT,
    maxInflightMessages: config.maxInflightMessages,
    maxInflightBytes: config.maxInflightBytes ?? 0,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readOnlyOption: config.readOnlyOption ?? "Safe",
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    drawElectionTimeoutTicks: config.drawElectionTimeoutTicks ?? drawElectionTimeoutTicks,
  };
}

function drawElectionTimeoutTicks(electionTicks: number, random: Random): number {
  return electionTicks + random.nextInt(electionTicks);
}

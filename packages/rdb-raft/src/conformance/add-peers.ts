import { index, peerId, SeededRandom, term, type PeerId } from "@flaredb/rdb-base";
import type { RaftConfig, ReadOnlyOption } from "../config.ts";
import { MemoryStorage } from "../memory-storage.ts";
import type { Snapshot } from "../messages.ts";
import { flagOf, numberOf, numbersOf, positionalNumber, valueOf, type CommandLine } from "./command-line.ts";
import type { InteractionEnv } from "./interaction-env.ts";
import { InteractionPeer } from "./interaction-peer.ts";
import { ScriptError } from "./script-error.ts";
import { SnapshotHistory } from "./snapshot-history.ts";
import { utf8 } from "./utf8.ts";

/** What add-nodes may be told besides the number of peers. */
export const ADD_PEERS_OPTIONS = [
  "voters",
  "learners",
  "index",
  "content",
  "inflight",
  "async-storage-writes",
  "prevote",
  "checkquorum",
  "max-committed-size-per-ready",
  "disable-conf-change-validation",
  "read-only",
  "step-down-on-removal",
];

/** Any chance will do: scripts set the election timeouts that matter. */
const SEED = 1;
const ELECTION_TICKS = 3;
const HEARTBEAT_TICKS = 1;
const MAX_INFLIGHT_MESSAGES = 2 ** 31 - 1;

/** `add-nodes N voters=() learners=() index=I ...`: the next N peers, all started from one snapshot. */
export function addPeers(env: InteractionEnv, line: CommandLine): void {
  const snapshot = bootstrapSnapshot(line);
  const template = configTemplate(line);
  for (let count = positionalNumber(line, 0); count > 0; count--) {
    env.peers.push(newPeer(env, peerId(env.peers.length + 1), template, snapshot));
  }
}

type ConfigTemplate = Omit<RaftConfig, "id" | "storage" | "logger" | "random">;

function newPeer(
  env: InteractionEnv,
  id: PeerId,
  template: ConfigTemplate,
  snapshot: Snapshot,
): InteractionPeer {
  const log = new MemoryStorage();
  if (snapshot.metadata.index > 0) {
    log.applySnapshot(snapshot);
  }
  const storage = new SnapshotHistory(log, snapshot);
  const random = new SeededRandom(SEED);
  return new InteractionPeer({ ...template, id, storage, random, logger: env.output.logger }, storage);
}

/** The snapshot that the peers start from; index 0 when the command names nothing to start from. */
function bootstrapSnapshot(line: CommandLine): Snapshot {
  const voters = numbersOf(line, "voters").map(peerId);
  const learners = numbersOf(line, "learners").map(peerId);
  const data = utf8(valueOf(line, "content") ?? "");
  const start = numberOf(line, "index") ?? 0;
  const isBootstrapped = voters.length + learners.length + data.length + start > 0;
  if (isBootstrapped && start <= 1) {
    throw new ScriptError("index must be specified as > 1 due to bootstrap");
  }
  const confState = { voters, learners, votersOutgoing: [], learnersNext: [], autoLeave: false };
  return { metadata: { index: index(start), term: term(isBootstrapped ? 1 : 0), confState }, data };
}

function configTemplate(line: CommandLine): ConfigTemplate {
  const maxCommittedBytes = numberOf(line, "max-committed-size-per-ready");
  return {
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: HEARTBEAT_TICKS,
    maxInflightMessages: numberOf(line, "inflight") ?? MAX_INFLIGHT_MESSAGES,
    applied: index(numberOf(line, "index") ?? 0),
    asyncStorageWrites: flagOf(line, "async-storage-writes"),
    // The files show etcd's order, etcd's refusals, that it asks once, and that who refuses waits.
    eagerVoteRequests: true,
    commitByRefusal: false,
    repeatVoteRequests: false,
    runInstead: false,
    preVote: flagOf(line, "prevote"),
    checkQuorum: flagOf(line, "checkquorum"),
    ...(maxCommittedBytes === undefined ? {} : { maxCommittedSizePerReadyBytes: maxCommittedBytes }),
    disableConfChangeValidation: flagOf(line, "disable-conf-change-validation"),
    readOnlyOption: readOnlyOption(line),
    stepDownOnRemoval: flagOf(line, "step-down-on-removal"),
  };
}

function readOnlyOption(line: CommandLine): ReadOnlyOption {
  const value = valueOf(line, "read-only") ?? "safe";
  switch (value) {
    case "safe":
      return "Safe";
    case "lease-based":
      return "LeaseBased";
    default:
      throw new ScriptError(`invalid read-only option "${value}"`);
  }
}

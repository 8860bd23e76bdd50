import { hup } from "./election.ts";
import { hex } from "./hex.ts";
import type { Message } from "./messages.ts";
import type { Raft } from "./raft.ts";
import { handleReadIndexResponse } from "./read-index.ts";
import { handleAppend, handleHeartbeat } from "./replication.ts";
import { handleSnapshot } from "./snapshot.ts";
import type { StepResult } from "./step-result.ts";

/** What a follower does with a message of its own term. What it has no use for is ignored. */
export function stepFollower(raft: Raft, message: Message): StepResult {
  switch (message.type) {
    case "MsgProp":
      return forwardProposal(raft, message);
    case "MsgApp":
      hearLeader(raft, message);
      handleAppend(raft, message);
      return "ok";
    case "MsgHeartbeat":
      hearLeader(raft, message);
      handleHeartbeat(raft, message);
      return "ok";
    case "MsgSnap":
      hearLeader(raft, message);
      handleSnapshot(raft, message);
      return "ok";
    case "MsgTransferLeader":
      forward(raft, message, "leader transfer msg");
      return "ok";
    case "MsgReadIndex":
      forward(raft, message, "index reading msg");
      return "ok";
    case "MsgReadIndexResp":
      handleReadIndexResponse(raft, message);
      return "ok";
    case "MsgForgetLeader":
      return forgetLeader(raft);
    case "MsgTimeoutNow":
      raft.logger.info(
        `${raft.name} [term ${raft.term}] received MsgTimeoutNow from ${hex(message.from)} ` +
          "and starts an election to get leadership.",
      );
      // No pre-vote: the leader has seen to it that the log is up to date, and wants to be replaced.
      hup(raft, "CampaignTransfer");
      return "ok";
    default:
      return "ok";
  }
}

function hearLeader(raft: Raft, message: Message): void {
  raft.electionElapsed = 0;
  raft.lead = message.from;
}

function forwardProposal(raft: Raft, message: Message): StepResult {
  if (raft.lead === 0) {
    raft.logger.info(`${raft.name} no leader at term ${raft.term}; dropping proposal`);
    return "proposal-dropped";
  }
  if (raft.config.disableProposalForwarding) {
    raft.logger.info(
      `${raft.name} not forwarding to leader ${hex(raft.lead)} at term ${raft.term}; dropping proposal`,
    );
    return "proposal-dropped";
  }
  raft.send({ type: "MsgProp", to: raft.lead, from: message.from, entries: message.entries });
  return "ok";
}

function forward(raft: Raft, message: Message, what: string): void {
  if (raft.lead === 0) {
    raft.logger.info(`${raft.name} no leader at term ${raft.term}; dropping ${what}`);
    return;
  }
  const { type, from, context } = message;
  raft.send({ type, to: raft.lead, from: from === 0 ? raft.id : from, context });
}

/** Lets this follower vote for another at once, for one whose leader is known to be gone. */
function forgetLeader(raft: Raft): StepResult {
  if (raft.config.readOnlyOption === "LeaseBased") {
    raft.logger.error("ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
    return "forget-leader-ignored";
  }
  if (raft.lead !== 0) {
    raft.logger.info(`${raft.name} forgetting leader ${hex(raft.lead)} at term ${raft.term}`);
    raft.lead = 0;
  }
  return "ok";
}

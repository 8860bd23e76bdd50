import { handleVoteResponse } from "./election.ts";
import { hex } from "./hex.ts";
import type { Message } from "./messages.ts";
import { saysSender } from "./peer-message.ts";
import type { Raft } from "./raft.ts";
import { handleAppend, handleHeartbeat } from "./replication.ts";
import { handleSnapshot } from "./snapshot.ts";
import type { StepResult } from "./step-result.ts";

/** What a candidate or pre-candidate does with a message of its own term. What it has no use for is ignored. */
export function stepCandidate(raft: Raft, message: Message): StepResult {
  switch (message.type) {
    case "MsgProp":
      raft.logger.info(`${raft.name} no leader at term ${raft.term}; dropping proposal`);
      return "proposal-dropped";
    case "MsgApp":
      raft.becomeFollower(raft.term, message.from);
      handleAppend(raft, message);
      return "ok";
    case "MsgHeartbeat":
      raft.becomeFollower(raft.term, message.from);
      handleHeartbeat(raft, message);
      return "ok";
    case "MsgSnap":
      raft.becomeFollower(raft.term, message.from);
      handleSnapshot(raft, message);
      return "ok";
    case "MsgVoteResp":
    case "MsgPreVoteResp": {
      // Late answers to the election of another kind do not count in this one.
      const awaited = raft.role === "PreCandidate" ? "MsgPreVoteResp" : "MsgVoteResp";
      if (message.type === awaited && saysSender(message)) {
        handleVoteResponse(raft, message);
      }
      return "ok";
    }
    case "MsgTimeoutNow":
      raft.logger.debug(
        `${raft.name} [term ${raft.term} state State${raft.role}] ignored MsgTimeoutNow from ${hex(message.from)}`,
      );
      return "ok";
    default:
      return "ok";
  }
}

import { assertNever, type Term } from "@flaredb/rdb-base";
import { stepCandidate } from "./candidate.ts";
import {
  describeVoteRequest,
  handleVoteRequest,
  inLeaderLease,
  learnCommit,
  refuseVote,
  startElection,
} from "./election.ts";
import { entriesSizeBytes, payloadsSizeBytes } from "./entry-size.ts";
import { stepFollower } from "./follower.ts";
import { hex } from "./hex.ts";
import { stepLeader } from "./leader.ts";
import type { Message } from "./messages.ts";
import type { Raft } from "./raft.ts";
import type { StepResult } from "./step-result.ts";

/** Takes a message: settles the term first, then hands it to what the role does with it. */
export function step(raft: Raft, message: Message): StepResult {
  if (message.term > raft.term) {
    if (!acceptHigherTerm(raft, message)) {
      return "ok";
    }
  } else if (message.term !== 0 && message.term < raft.term) {
    answerLowerTerm(raft, message);
    return "ok";
  }
  switch (message.type) {
    case "MsgHup":
      startElection(raft);
      return "ok";
    case "MsgStorageAppendResp":
      handleStorageAppendResponse(raft, message);
      return "ok";
    case "MsgStorageApplyResp":
      handleStorageApplyResponse(raft, message);
      return "ok";
    case "MsgVote":
    case "MsgPreVote":
      handleVoteRequest(raft, message);
      return "ok";
    case "MsgVoteResp":
    case "MsgPreVoteResp":
      learnCommit(raft, message);
      return stepRole(raft, message);
    default:
      return stepRole(raft, message);
  }
}

function stepRole(raft: Raft, message: Message): StepResult {
  switch (raft.role) {
    case "Follower":
      return stepFollower(raft, message);
    case "PreCandidate":
    case "Candidate":
      return stepCandidate(raft, message);
    case "Leader":
      return stepLeader(raft, message);
    default:
      return assertNever(raft.role, "role");
  }
}

/** A message of a later term: usually this peer enters that term. False when the message is ignored. */
function acceptHigherTerm(raft: Raft, message: Message): boolean {
  const { type, from } = message;
  if ((type === "MsgVote" || type === "MsgPreVote") && inLeaderLease(raft, message)) {
    const remaining = raft.config.electionTicks - raft.electionElapsed;
    raft.logger.info(
      `${describeVoteRequest(raft, message, `ignored ${type} from`)}: ` +
        `lease is not expired (remaining ticks: ${remaining})`,
    );
    return false;
  }
  if (type === "MsgPreVote" || (type === "MsgPreVoteResp" && !message.reject)) {
    // A pre-vote is about a term to come: nobody enters it for that. A rejection tells of a term that is.
    return true;
  }
  raft.logger.info(
    `${raft.name} [term: ${raft.term}] received a ${type} message with higher term from ` +
      `${hex(from)} [term: ${message.term}]`,
  );
  // A leader's message tells who leads when it is handled, in the term that it brought.
  raft.becomeFollower(message.term as Term, 0);
  return true;
}

/** A message of an earlier term is ignored, except where its sender would hang. */
function answerLowerTerm(raft: Raft, message: Message): void {
  const { type, from: to } = message;
  const { checkQuorum, preVote } = raft.config;
  if ((checkQuorum || preVote) && (type === "MsgHeartbeat" || type === "MsgApp")) {
    // A leader of an earlier term: this peer was away and raised its term. Votes with that term are ignored
    // for the leader's lease, so without this answer both would stay as they are for ever.
    raft.send({ type: "MsgAppResp", to });
    return;
  }
  if (type === "MsgPreVote") {
    // The sender may have a log that is behind and a term that is not: it learns the term from the rejection.
    raft.logger.info(describeVoteRequest(raft, message, `rejected ${type} from`));
    refuseVote(raft, message);
    return;
  }
  if (type === "MsgStorageAppendResp") {
    handleLateStorageAppendResponse(raft, message);
    return;
  }
  raft.logger.info(
    `${raft.name} [term: ${raft.term}] ignored a ${type} message with lower term from ` +
      `${hex(to)} [term: ${message.term}]`,
  );
}

/** The append thread has made entries durable, and perhaps installed a snapshot. */
function handleStorageAppendResponse(raft: Raft, message: Message): void {
  if (message.index !== 0) {
    raft.log.unstable.stableTo({ term: message.logTerm as Term, index: message.index });
  }
  if (message.snapshot !== undefined) {
    raft.appliedSnapshot(message.snapshot.metadata.index);
  }
}

/**
 * The same from an earlier term. Its entries may have been replaced meanwhile, even by entries of the same term
 * and index that are not durable yet; a later response covers them. Its snapshot was committed, so it holds.
 */
function handleLateStorageAppendResponse(raft: Raft, message: Message): void {
  if (message.index !== 0) {
    raft.logger.info(
      `${raft.name} [term: ${raft.term}] ignored entry appends from a ${message.type} message ` +
        `with lower term [term: ${message.term}]`,
    );
  }
  if (message.snapshot !== undefined) {
    raft.appliedSnapshot(message.snapshot.metadata.index);
  }
}

/** The apply thread has applied entries. */
function handleStorageApplyResponse(raft: Raft, message: Message): void {
  const last = message.entries.at(-1);
  if (last === undefined) {
    return;
  }
  raft.appliedTo(last.index, entriesSizeBytes(message.entries));
  raft.uncommittedBytes = Math.max(raft.uncommittedBytes - payloadsSizeBytes(message.entries), 0);
}
